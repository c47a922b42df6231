import type { Band, History, Series } from '../../lib/model';
import type { Window } from './window';

/** One bucket of one series; all three null is a break in the line. */
export interface Point {
  t: number;
  min: number | null;
  avg: number | null;
  max: number | null;
}

/** A wait of more than this many buckets is a gap. */
const GAP_BUCKETS = 1.5;

/** The points of a band, with a break wherever buckets are absent: a gap stays a gap. */
export function points(t: readonly number[], band: Band | null | undefined, bucketMs: number): Point[] {
  if (!band) return [];
  const found: Point[] = [];
  t.forEach((at, index) => {
    const last = found.at(-1);
    if (last && at - last.t > GAP_BUCKETS * bucketMs) found.push({ t: last.t + bucketMs, min: null, avg: null, max: null });
    found.push({ t: at, min: band.min[index] ?? null, avg: band.avg[index] ?? null, max: band.max[index] ?? null });
  });
  return found;
}

/** Fine points inside the window, coarser ones of an earlier answer around it, for moving without blank edges. */
export function withContext(fine: readonly Point[], coarse: readonly Point[], window: Window): Point[] {
  return [
    ...coarse.filter((point) => point.t < window.since),
    ...fine,
    ...coarse.filter((point) => point.t >= window.until),
  ];
}

/** Index of the bucket that holds time `at`, -1 where there is none. */
export function bucketAt(t: readonly number[], bucketMs: number, at: number): number {
  let low = 0;
  let high = t.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((t[middle] ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  const index = low - 1;
  const start = t[index];
  return start !== undefined && at < start + GAP_BUCKETS * bucketMs ? index : -1;
}

/** Energy of a series in the range, in kWh: all of it, and how much of it flowed while nothing was recorded. */
export function energy(series: Series): { total: number | null; inGap: number } {
  const sum = (values: readonly number[] | null | undefined) => values?.reduce((total, value) => total + value, 0) ?? 0;
  const inGap = sum(series.in_gap_kwh);
  return { total: series.total_kwh ?? (series.energy_kwh ? sum(series.energy_kwh) + inGap : null), inGap };
}

/** One line of the table: a time, and for each series its values there (undefined where it has no bucket). */
export interface TableRow {
  t: number;
  cells: (Point | undefined)[];
}

export interface Column {
  channel: string;
  name: string;
  quantity: 'power_w' | 'voltage_v';
}

/** The columns that an answer fills: power of outlets, voltage of sources. */
export function columns(history: History): Column[] {
  return history.series.flatMap(({ channel, name, power_w, voltage_v }): Column[] => {
    if (power_w) return [{ channel, name, quantity: 'power_w' }];
    return voltage_v ? [{ channel, name, quantity: 'voltage_v' }] : [];
  });
}

/** The same data as the chart, as rows by time. */
export function rows(history: History): TableRow[] {
  const wanted = columns(history);
  const byTime = new Map<number, (Point | undefined)[]>();
  wanted.forEach(({ channel, quantity }, column) => {
    const series = history.series.find((one) => one.channel === channel);
    for (const point of points(series?.t_ms ?? [], series?.[quantity], Infinity)) {
      const cells = byTime.get(point.t) ?? Array.from<Point | undefined>({ length: wanted.length });
      cells[column] = point;
      byTime.set(point.t, cells);
    }
  });
  return [...byTime].sort(([a], [b]) => a - b).map(([t, cells]) => ({ t, cells }));
}
