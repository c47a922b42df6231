/** What `/api/v1/analytics/…` answers (docs/api.md). `null` is unknown, never 0. */

import type { SourceName } from '../../lib/model';

export interface Period {
  since: string;
  until: string;
  since_ms: number;
  until_ms: number;
  elapsed_ms: number;
}

export interface Amount {
  energy_kwh: number;
  in_gap_kwh: number;
  total_kwh: number;
  unpriced_kwh: number;
  cost: number | null;
  cost_low: number | null;
  cost_high: number | null;
  coverage: number | null;
}

export interface PriceUse {
  name: string;
  price_per_kwh: number;
  energy_kwh: number;
  cost: number;
}

export interface LoadFigures {
  mean_w: number | null;
  demand_w: number | null;
  demand_at_ms: number | null;
  peak_w: number | null;
  peak_at_ms: number | null;
  peak_within_ms: number | null;
  load_factor: number | null;
}

export type Hours = (number | null)[][];

export interface OutletUse {
  n: number;
  name: string;
  amount: Amount;
  before: Amount;
  load: LoadFigures;
  standby: { power_w: number; share: number; energy_kwh: number; on_ms: number } | null;
  prices: PriceUse[];
  hours: Hours;
}

export interface EnergyReport {
  timezone: string;
  period: Period;
  before: Period;
  currency: string | null;
  total: Amount;
  before_total: Amount;
  fee: number | null;
  before_fee: number | null;
  load: LoadFigures;
  prices: PriceUse[];
  days: { day: string; amount: Amount }[];
  hours: Hours;
  outlets: OutletUse[];
}

export type Verdict = 'met' | 'not_met' | 'unknown';
export type DisturbanceKind = 'dip' | 'swell' | 'interruption' | 'undervoltage' | 'overvoltage';

export interface Week {
  first: string;
  verdict: Verdict;
  whole: boolean;
  expected: number;
  valid: number;
  flagged: number;
  within: number | null;
  within_wide: number | null;
}

export interface Disturbance {
  kind: DisturbanceKind;
  since_ms: number;
  duration_ms: number;
  ended: boolean;
  extreme_v: number;
  extreme_pct: number;
}

export interface Classes {
  dip_residuals_pct: number[];
  dip_durations_ms: number[];
  dips: number[][];
  swell_levels_pct: number[];
  swell_durations_ms: number[];
  swells: number[][];
  short_interruptions: number;
  long_interruptions: number;
  undervoltages: number;
  overvoltages: number;
}

export interface SourceQuality {
  source: SourceName;
  coverage: number | null;
  valid: number;
  lowest_v: number | null;
  highest_v: number | null;
  weeks: Week[];
  histogram: { percent: number; count: number }[];
  classes: Classes;
  disturbance_count: number;
  disturbances: Disturbance[];
}

export interface VoltageReport {
  timezone: string;
  period: Period;
  nominal_v: number;
  nominal_from: 'request' | 'device' | 'default';
  sources: SourceQuality[];
}

export interface SupplyFigures {
  coverage: number | null;
  count: number;
  total_ms: number;
  longest_ms: number;
  availability_low: number | null;
  availability_high: number | null;
  on_backup_ms: number | null;
  position_known: number | null;
  transfer_count: number;
  transfers: { cause: string; count: number }[];
}

export interface SupplyReport {
  timezone: string;
  period: Period;
  before: Period;
  now: SupplyFigures;
  then: SupplyFigures;
  outages: { since_ms: number; duration_ms: number; ended: boolean }[];
}
