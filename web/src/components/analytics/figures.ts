/** Numbers of analytics for people. Pure; `null` becomes `UNKNOWN`. */

import { UNKNOWN } from '../../lib/format';

/** A part of the whole in percent; what is nearly all is never rounded up to all. */
export function percent(part: number | null, locale: string, digits = 0): string {
  if (part === null) return UNKNOWN;
  const nearlyAll = part >= 0.995 && part < 1;
  const shown = nearlyAll ? Math.floor(part * 10_000) / 10_000 : part;
  const maximumFractionDigits = nearlyAll ? 2 : digits;
  return new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits }).format(shown);
}

export function money(amount: number | null, currency: string | null, locale: string): string {
  return amount === null || currency === null ? UNKNOWN : moneyFormat(currency, locale).format(amount);
}

/** What something costs at least and at most; one amount where both look the same. */
export function moneyRange(low: number | null, high: number | null, currency: string | null, locale: string): string {
  if (low === null || high === null || currency === null) return UNKNOWN;
  return moneyFormat(currency, locale).formatRange(low, high).replace(/^~/, '');
}

function moneyFormat(currency: string, locale: string): Intl.NumberFormat {
  return new Intl.NumberFormat(locale, { style: 'currency', currency });
}

/** Two periods are compared when readings stand for at least this part of each. */
export const COMPARABLE = 0.9;

/** The change from an earlier amount as `+12 %`; unknown where one of them is, or too little of its period. */
export function change(now: Part, before: Part, locale: string): string {
  const known = [now, before].every(({ coverage }) => (coverage ?? 0) >= COMPARABLE);
  if (!known || now.value === null || before.value === null || before.value <= 0) return UNKNOWN;
  const format = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' });
  return format.format(now.value / before.value - 1);
}

export interface Part {
  value: number | null;
  coverage: number | null;
}

/** A day as a date of the site. */
export function dayText(day: string, locale: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' }).format(Date.parse(day));
}

/** A time at the site. */
export function siteTime(ms: number, zone: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: zone }).format(ms);
}

/** The name of a weekday, 0 is Monday. */
export function weekdayName(weekday: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { weekday: 'short', timeZone: 'UTC' }).format(Date.UTC(2024, 0, 1 + weekday));
}

const UNITS: readonly [number, string][] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
];

/** A length of time in its two largest units, as `2 h 5 min`; below 10 s in parts of a second. */
export function lasting(ms: number | null, locale: string): string {
  if (ms === null) return UNKNOWN;
  if (ms < 10_000) return unit(ms / 1000, 'second', locale, ms % 1000 === 0 ? 0 : 2);
  const first = UNITS.findIndex(([size]) => ms >= size);
  const parts: string[] = [];
  let rest = ms;
  for (const [size, name] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(unit(count, name, locale, 0));
    rest -= count * size;
  }
  return parts.join(' ');
}

function unit(value: number, name: string, locale: string, digits: number): string {
  return new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'narrow', maximumFractionDigits: digits }).format(value);
}

/** A round number at or a little above `value`, for the end of an axis. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((round) => round >= value * 0.9999) ?? value;
}
