/** Schedules as docs/api.md tells them. Days are ISO dates, times of the clock `HH:MM` in the schedule's zone. */

export type Act = 'on' | 'off' | 'cycle';
export type Holidays = 'ignore' | 'skip' | 'only';

export interface Target {
  pdu_id: string;
  outlet: number;
}

export interface Moment {
  at?: string | null;
  sun?: 'sunrise' | 'sunset' | null;
  offset_min?: number;
}

export interface Cheapest {
  before: string;
  hours: number;
  within_h: number;
  contiguous: boolean;
}

export interface ScheduleIn {
  name: string;
  enabled: boolean;
  targets: Target[];
  do: Act;
  off_s: number | null;
  days: { first: string; rrule: string; exceptions: string[]; holidays: Holidays };
  begin: Moment | null;
  end: Moment | null;
  duration_s: number | null;
  cheapest: Cheapest | null;
  timezone: string | null;
  late_s: number;
}

export interface Span {
  start_ms: number;
  end_ms: number | null;
}

export interface Schedule extends ScheduleIn {
  id: string;
  version: number;
  timezone: string;
  changed_by: string;
  next: Span | null;
}

export type OccurrenceState =
  | 'planned'
  | 'disabled'
  | 'running'
  | 'sent'
  | 'done'
  | 'late'
  | 'missed'
  | 'refused'
  | 'skipped'
  | 'overridden'
  | 'unknown';

export interface Occurrence extends Span {
  schedule_id: string;
  name: string;
  pdu_id: string;
  outlet: number;
  do: Act;
  state: OccurrenceState;
  code: string;
}

export interface Conflict {
  pdu_id: string;
  outlet: number;
  schedule_ids: string[];
  names: string[];
  since_ms: number;
  until_ms: number;
  text: string;
}

export interface Week {
  timezone: string;
  server_ms: number;
  items: Occurrence[];
  conflicts: Conflict[];
  holidays: { day: string; name: string }[];
}

export interface Preview {
  timezone: string;
  items: Span[];
  conflicts: Conflict[];
}
