/** The order in which outlets are kept, and the priorities that stand for it: 1 is kept longest, 8 is the least. */

export const LEAST_PRIORITY = 8;

/** The outlets, the one that is kept longest first; of equal ones the lower number. */
export function ordered<T extends { n: number }>(outlets: readonly T[], priority: (n: number) => number): T[] {
  return outlets.toSorted((a, b) => priority(a.n) - priority(b.n) || a.n - b.n);
}

/** The same numbers with `n` at place `to`, from 0. */
export function moved(order: readonly number[], n: number, to: number): number[] {
  const rest = order.filter((one) => one !== n);
  return rest.toSpliced(to, 0, n);
}

/** A priority for each outlet, so that they stand in this order; past the eighth they share the last. */
export function placed(order: readonly number[]): [n: number, priority: number][] {
  return order.map((n, index) => [n, Math.min(index + 1, LEAST_PRIORITY)]);
}
