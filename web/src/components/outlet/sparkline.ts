import type { Sample } from '../../lib/live/ring';

export interface Sparkline {
  /** SVG paths in a box of `width` x `height`: the line, and the same closed to the ground. */
  line: string;
  area: string;
  low: number;
  high: number;
}

/** A gap longer than this breaks the line. */
const GAP_MS = 5_000;
/** Smaller changes are noise and shall look flat. */
const LEAST_RANGE = 5;

/** The line of the samples in the window that ends at `endMs`, or null when there is nothing to draw. */
export function sparkline(
  samples: readonly Sample[],
  endMs: number,
  windowMs: number,
  width: number,
  height: number,
): Sparkline | null {
  const runs = unbroken(samples.filter(({ t }) => t >= endMs - windowMs));
  const values = runs.flat().map((sample) => sample.value);
  if (values.length < 2) return null;
  const low = Math.min(...values);
  const high = Math.max(...values);
  const top = Math.max(high, LEAST_RANGE) * 1.08;
  const x = (t: number) => round(((t - endMs + windowMs) / windowMs) * width);
  const y = (value: number) => round(height - 1 - (value / top) * (height - 2));
  const draw = (run: Known[]) => run.map(({ t, value }) => `${x(t)} ${y(value)}`).join('L');
  return {
    line: runs.map((run) => `M${draw(run)}`).join(''),
    area: runs.map((run) => `M${x(run[0]!.t)} ${height}L${draw(run)}V${height}Z`).join(''),
    low,
    high,
  };
}

interface Known {
  t: number;
  value: number;
}

function unbroken(samples: readonly Sample[]): Known[][] {
  const runs: Known[][] = [];
  let last: number | null = null;
  for (const { t, value } of samples) {
    if (value === null) {
      last = null;
      continue;
    }
    if (last === null || t - last > GAP_MS) runs.push([]);
    runs.at(-1)?.push({ t, value });
    last = t;
  }
  return runs;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
