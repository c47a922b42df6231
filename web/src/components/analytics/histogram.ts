/** Where the bars of the voltage histogram stand. Pure. */

export const HEIGHT = 130;
const TOP = 8;
export const BASE = HEIGHT - 24;
/** Bounds of EN 50160 in percent of the nominal voltage. */
export const LIMITS = [90, 110];
const NARROWEST: readonly [number, number] = [88, 113];

export interface Histogram {
  bars: { percent: number; x: number; width: number; y: number; height: number; outside: boolean }[];
  limits: { percent: number; x: number }[];
  labels: { percent: number; x: number }[];
}

export function histogram(bins: readonly { percent: number; count: number }[], width: number): Histogram {
  const from = Math.min(NARROWEST[0], ...bins.map(({ percent }) => percent));
  const to = Math.max(NARROWEST[1], ...bins.map(({ percent }) => percent + 1));
  const step = width / (to - from);
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const x = (percent: number) => (percent - from) * step;
  const every = step < 9 ? 10 : 5;
  const labels: Histogram['labels'] = [];
  for (let percent = Math.ceil(from / every) * every; percent <= to; percent += every) {
    if (x(percent) > 14 && x(percent) < width - 14) labels.push({ percent, x: x(percent) });
  }
  return {
    bars: bins.map(({ percent, count }) => {
      const height = Math.max((count / most) * (BASE - TOP), 1.5);
      const outside = percent < LIMITS[0]! || percent >= LIMITS[1]!;
      return { percent, x: x(percent) + step * 0.08, width: step * 0.84, y: BASE - height, height, outside };
    }),
    limits: LIMITS.map((percent) => ({ percent, x: x(percent) })),
    labels,
  };
}
