/** Between a schedule and the form in which people set one: days of the week, a time, and an end. */

import type { Schedule, ScheduleIn } from './model';

/** As RFC 5545 writes them, from Monday. */
export const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
export type Day = (typeof DAYS)[number];

/** The days of a weekly rule, all of a daily one; null if it is a rule of another kind, which the form leaves as it is. */
export function daysOf(rrule: string): Day[] | null {
  const parts = new Map(
    rrule
      .toUpperCase()
      .split(';')
      .filter(Boolean)
      .map((part) => part.split('=', 2) as [string, string]),
  );
  const frequency = parts.get('FREQ');
  const named = parts.get('BYDAY')?.split(',') ?? [];
  const known = [...parts.keys()].every((key) => key === 'FREQ' || key === 'BYDAY');
  if (!known) return null;
  if (frequency === 'DAILY' && named.length === 0) return [...DAYS];
  if (frequency !== 'WEEKLY' || named.length === 0) return null;
  return named.every((day) => DAYS.includes(day as Day)) ? DAYS.filter((day) => named.includes(day)) : null;
}

/** The rule for days of the week. */
export function ruleOf(days: readonly Day[]): string {
  return days.length === DAYS.length ? 'FREQ=DAILY' : `FREQ=WEEKLY;BYDAY=${DAYS.filter((day) => days.includes(day)).join(',')}`;
}

/** `22:50` moved by 15 minutes is `23:05`; past midnight it goes round. */
export function moved(clock: string, minutes: number): string {
  const [hour = 0, minute = 0] = clock.split(':').map(Number);
  const total = (((hour * 60 + minute + minutes) % 1440) + 1440) % 1440;
  return `${String(Math.floor(total / 60)).padStart(2, '0')}:${String(total % 60).padStart(2, '0')}`;
}

/** A schedule with its beginning, and its end, moved by minutes; null if it begins by the sun or by the price. */
export function shifted(schedule: Schedule, minutes: number): ScheduleIn | null {
  const at = schedule.begin?.at;
  if (!at) return null;
  const end = schedule.end?.at ? { at: moved(schedule.end.at, minutes) } : schedule.end && bare(schedule.end);
  return { ...kept(schedule), begin: { at: moved(at, minutes) }, end };
}

/** What of a schedule is sent back to change it. */
export function kept(schedule: Schedule | ScheduleIn): ScheduleIn {
  const { name, enabled, targets, off_s, days, begin, end, duration_s, cheapest, timezone, late_s } = schedule;
  return {
    name,
    enabled,
    targets,
    do: schedule.do,
    off_s,
    days,
    begin: begin && bare(begin),
    end: end && bare(end),
    duration_s,
    cheapest,
    timezone,
    late_s,
  };
}

function bare(moment: NonNullable<ScheduleIn['begin']>): NonNullable<ScheduleIn['begin']> {
  return moment.sun ? { sun: moment.sun, offset_min: moment.offset_min ?? 0 } : { at: moment.at ?? '00:00' };
}

/** A new schedule: an outlet on from 8 to 18 on working days. */
export function fresh(today: string, target: ScheduleIn['targets'][number] | null): ScheduleIn {
  return {
    name: '',
    enabled: true,
    targets: target ? [target] : [],
    do: 'on',
    off_s: null,
    days: { first: today, rrule: ruleOf(DAYS.slice(0, 5)), exceptions: [], holidays: 'ignore' },
    begin: { at: '08:00' },
    end: { at: '18:00' },
    duration_s: null,
    cheapest: null,
    timezone: null,
    late_s: 900,
  };
}
