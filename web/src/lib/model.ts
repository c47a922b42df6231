/** What the server says, as in docs/api.md. `null` is unknown, never 0; times are UTC milliseconds. */

export type SourceName = 'main' | 'backup';
export type Grade = 'good' | 'usable' | 'bad';
export type Severity = 'info' | 'warning' | 'critical';

export interface Session {
  user: string;
  expires_ms: number;
  demo: boolean;
  version: string;
}

export interface Source {
  source: SourceName;
  grade: Grade | null;
  voltage_v: number | null;
  frequency_hz: number | null;
}

export interface PendingCommand {
  id: string;
  do: string;
  on: boolean | null;
}

export interface Outlet {
  n: number;
  name: string;
  on: boolean | null;
  cause: string | null;
  why: string;
  trip: string | null;
  locked: boolean | null;
  critical: boolean;
  /** 1 is kept longest; null before the PDU has said what it is. */
  priority: number | null;
  protected: boolean | null;
  voltage_v: number | null;
  current_a: number | null;
  power_w: number | null;
  power_factor: number | null;
  energy_kwh: number | null;
  today_kwh: number | null;
  limit_a: number | null;
  pending: PendingCommand | null;
}

export interface Pdu {
  id: string;
  name: string;
  online: boolean;
  boot: number | null;
  firmware: string | null;
  model: string | null;
  as_of_ms: number | null;
  age_ms: number | null;
  quality: 'good' | 'stale' | 'unknown';
  nominal_v: number | null;
  nominal_hz: number | null;
  active: SourceName | null;
  preferred: SourceName | null;
  live: boolean | null;
  isolator: 'open' | 'closed' | null;
  sources: Source[];
  power_w: number | null;
  current_a: number | null;
  rating_a: number | null;
  outlets: Outlet[];
  settings_version: number | null;
  desired_version: number;
  lockout: boolean;
  alarms: number;
}

/** The fields of a Pdu that change with every reading. */
export type Readings = Pick<Pdu, 'id' | 'as_of_ms' | 'age_ms' | 'quality' | 'active' | 'live' | 'power_w' | 'current_a'> & {
  sources: Pick<Source, 'source' | 'voltage_v' | 'frequency_hz'>[];
  outlets: Pick<Outlet, 'n' | 'voltage_v' | 'current_a' | 'power_w' | 'power_factor' | 'energy_kwh' | 'today_kwh'>[];
};

export type CommandStatus = 'pending' | 'accepted' | 'confirmed' | 'rejected' | 'expired' | 'unknown';

export interface Command {
  id: string;
  pdu_id: string;
  do: string;
  outlet: number | null;
  on: boolean | null;
  source: SourceName | null;
  off_s: number | null;
  by: string;
  status: CommandStatus;
  code: string;
  message: string;
  created_ms: number;
  settled_ms: number | null;
  expires_at_ms: number | null;
}

export interface PduEvent {
  id: number;
  pdu_id: string;
  ts_ms: number;
  code: string;
  title: string;
  severity: Severity;
  outlet: number | null;
  source: SourceName | null;
  cause: string | null;
  text: string;
  remedy: string;
  because: number | null;
  boot: number;
  seq: number;
  data: Record<string, unknown>;
}

export interface Alarm {
  id: number;
  pdu_id: string;
  kind: string;
  title: string;
  text: string;
  severity: Severity;
  outlet: number | null;
  source: SourceName | null;
  first_ms: number;
  last_ms: number;
  count: number;
  cleared_ms: number | null;
  acknowledged_ms: number | null;
  acknowledged_by: string;
  note: string;
}

export interface ServerState {
  database: 'ok' | 'away';
  broker: 'ok' | 'away';
}

export interface Band {
  min: (number | null)[];
  avg: (number | null)[];
  max: (number | null)[];
}

export interface Series {
  channel: string;
  name: string;
  t_ms: number[];
  /** Of an outlet. */
  power_w?: Band | null;
  voltage_v?: Band | null;
  /** Of a source. */
  frequency_hz?: Band | null;
  /** Of an outlet. */
  current_a?: Band | null;
  energy_kwh?: number[] | null;
  in_gap_kwh?: number[] | null;
  total_kwh?: number | null;
}

export interface History {
  tier: 'raw' | '1m' | '15m' | '1h' | '1d';
  bucket_ms: number;
  since_ms: number;
  until_ms: number;
  series: Series[];
  events: PduEvent[];
}

export interface Disturbance {
  id: string;
  label: string;
  hint: string;
  needs_outlet: boolean;
  lasts: boolean;
}

export interface Disturbances {
  items: Disturbance[];
  active: Record<string, Record<string, number | null>>;
}

export type LiveMessage =
  | {
      type: 'snapshot';
      pdus: Pdu[];
      alarms: Alarm[];
      last_event_id: number | null;
      server_ms: number;
      server: ServerState;
    }
  | { type: 'pdu'; pdu: Pdu }
  | { type: 'readings'; readings: Readings }
  | { type: 'event'; event: PduEvent }
  | { type: 'alarm'; alarm: Alarm }
  | { type: 'command'; command: Command }
  | { type: 'server'; server: ServerState }
  | { type: 'ping'; server_ms: number }
  | { type: 'dropped'; count: number };

/** A setting in wire units. */
export type Value = number | boolean | string;

/** What can be set, with its range or its choices; the name ends in the unit. */
export interface Setting {
  name: string;
  per: 'pdu' | 'outlet';
  default: Value;
  low: number | null;
  high: number | null;
  choices: string[];
}

/** A setting in wire units. */
export type Values = Record<string, Value>;

/** Settings that somebody wants. */
export interface Desired {
  version: number;
  pdu: Values;
  out: (Values & { n: number })[];
}

/** What shall run, with only what differs from the defaults, and the version that does run. */
export interface Settings {
  desired: Desired;
  reported_version: number | null;
}

/** One limit of the tree of source, PDU, supply and site, with what stands behind it. */
export interface Circuit {
  level: 'source' | 'pdu' | 'supply' | 'site';
  name: string;
  title: string;
  limit: { current_a: number | null; power_w: number | null };
  current_a: number;
  power_w: number;
  over: boolean;
  stale: boolean;
}

/** Why an outlet does not fit, and what would make room. */
export interface Shortage {
  outlet: string;
  over: string;
  circuit: Circuit;
  enough: boolean;
  candidates: { pdu_id: string; outlet: number; name: string; priority: number; current_a: number; power_w: number }[];
  displace: string[];
}

export type DryWhat = 'shed' | 'restored' | 'trip' | 'limit_shed' | 'warning' | 'reset' | 'over_budget';

export interface DryEvent {
  t_ms: number;
  what: DryWhat;
  outlet: number | null;
  current_a: number;
  limit_a: number;
  power_w: number;
  limit_w: number;
}

/** What settings would have done over recorded minutes. */
export interface DryResult {
  outlets: {
    n: number;
    name: string;
    sheds: number;
    trips: number;
    warnings: number;
    off_min: number;
    lost_kwh: number;
    possible_min: number;
  }[];
  events: DryEvent[];
  event_count: number;
  over_min: number;
  possible_min: number;
}

/** The settings in force beside proposed ones, over the same minutes. */
export interface DryRun {
  since_ms: number;
  until_ms: number;
  covered: number;
  current: DryResult;
  proposed: DryResult;
}
