const COLORS = 8;

/** The token of an outlet's colour: the same on every page and in every range. */
export function colorToken(outlet: number): string {
  return `--series-${((outlet - 1) % COLORS) + 1}`;
}
