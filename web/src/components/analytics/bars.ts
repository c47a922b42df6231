/** Where the bars of the chart of days stand. Pure. */

import { roundUp } from './figures';
import type { EnergyReport } from './model';

export const HEIGHT = 190;
export const LEFT = 34;
const TOP = 10;
const BOTTOM = 24;
export const BASE = HEIGHT - BOTTOM;
/** A day with readings for less than this of it is marked. */
export const WELL_COVERED = 0.9;
const LABEL_PX = 64;

export interface Bar {
  day: string;
  x: number;
  width: number;
  metered: { y: number; height: number };
  gap: { y: number; height: number };
  missing: boolean;
  partial: boolean;
}

export interface Bars {
  top: number;
  bars: Bar[];
  ticks: { y: number; value: number }[];
  labels: { x: number; day: string }[];
}

export function bars(days: EnergyReport['days'], width: number): Bars {
  const top = roundUp(Math.max(0, ...days.map(({ amount }) => amount.total_kwh)));
  const step = (width - LEFT) / Math.max(days.length, 1);
  const height = (kwh: number) => (kwh / top) * (BASE - TOP);
  const drawn = days.map(({ day, amount }, index): Bar => {
    const metered = height(amount.energy_kwh);
    const gap = height(amount.in_gap_kwh);
    return {
      day,
      x: LEFT + index * step + step * 0.12,
      width: Math.max(step * 0.76, 0.5),
      metered: { y: BASE - metered, height: metered },
      gap: { y: BASE - metered - gap, height: gap },
      missing: !amount.coverage && amount.total_kwh === 0,
      partial: amount.coverage !== null && amount.coverage > 0 && amount.coverage < WELL_COVERED,
    };
  });
  const every = Math.max(1, Math.ceil(LABEL_PX / step));
  const labels = days
    .map(({ day }, index) => ({ day, x: LEFT + (index + 0.5) * step, index }))
    .filter(({ index, x }) => index % every === 0 && x < width - LABEL_PX / 3);
  const ticks = [0, 0.5, 1].map((part) => ({ y: BASE - height(top * part), value: top * part }));
  return { top, bars: drawn, ticks, labels };
}
