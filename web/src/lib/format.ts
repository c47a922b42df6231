/** Numbers and times for people. Pure: the locale is an argument, `null` becomes `UNKNOWN`. */

export const UNKNOWN = '–';

export type Quantity = 'power_w' | 'current_a' | 'voltage_v' | 'frequency_hz' | 'energy_kwh' | 'power_factor';

export const UNIT: Record<Quantity, string> = {
  power_w: 'W',
  current_a: 'A',
  voltage_v: 'V',
  frequency_hz: 'Hz',
  energy_kwh: 'kWh',
  power_factor: '',
};

const DIGITS: Record<Quantity, number> = {
  power_w: 0,
  current_a: 2,
  voltage_v: 1,
  frequency_hz: 2,
  energy_kwh: 3,
  power_factor: 2,
};

/** The number without its unit, with as many digits as that quantity is worth. */
export function digits(value: number | null | undefined, quantity: Quantity, locale: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  return numberFormat(locale, digitsFor(value, quantity)).format(value);
}

/** The number with its unit, held together by a no-break space. */
export function quantity(value: number | null | undefined, what: Quantity, locale: string): string {
  const text = digits(value, what, locale);
  return UNIT[what] && text !== UNKNOWN ? `${text}\u00a0${UNIT[what]}` : text;
}

function digitsFor(value: number, what: Quantity): number {
  const size = Math.abs(value);
  if (what === 'power_w' && size < 99.95) return 1;
  if (what === 'energy_kwh' && size >= 100) return 1;
  if (what === 'energy_kwh' && size >= 10) return 2;
  return DIGITS[what];
}

const SPANS: readonly [limitMs: number, unitMs: number, unit: string][] = [
  [120_000, 1000, 'second'],
  [7_200_000, 60_000, 'minute'],
  [172_800_000, 3_600_000, 'hour'],
  [Infinity, 86_400_000, 'day'],
];

/** A length of time in its one fitting unit, as `12 s` or `3 min`. */
export function span(ms: number, locale: string): string {
  const [, unitMs, unit] = SPANS.find(([limit]) => ms < limit) ?? SPANS[SPANS.length - 1]!;
  return unitFormat(locale, unit).format(Math.floor(ms / unitMs));
}

/** A length of time in the largest unit that it is a whole number of: `15 min`, not `900 s`. */
export function wholeSpan(ms: number, locale: string): string {
  const units = SPANS.toReversed();
  const [, unitMs, unit] = units.find(([, size]) => ms >= size && ms % size === 0) ?? SPANS[0]!;
  return unitFormat(locale, unit).format(Math.round(ms / unitMs));
}

export function dateTime(ms: number, locale: string): string {
  return timeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' }).format(ms);
}

export function clockTime(ms: number, locale: string): string {
  return timeFormat(locale, { timeStyle: 'medium' }).format(ms);
}

export function dayName(ms: number, locale: string): string {
  return timeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }).format(ms);
}

/** The text of a tick on a time axis whose ticks are `stepMs` apart. */
export function tick(ms: number, stepMs: number, locale: string): string {
  const date = new Date(ms);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (midnight || stepMs >= 86_400_000) return timeFormat(locale, { day: 'numeric', month: 'short' }).format(ms);
  return timeFormat(locale, stepMs < 60_000 ? { timeStyle: 'medium' } : { timeStyle: 'short' }).format(ms);
}

const numberFormats = new Map<string, Intl.NumberFormat>();
const spanFormats = new Map<string, Intl.NumberFormat>();
const timeFormats = new Map<string, Intl.DateTimeFormat>();

function numberFormat(locale: string, fraction: number): Intl.NumberFormat {
  return cached(numberFormats, `${locale} ${fraction}`, () =>
    new Intl.NumberFormat(locale, { minimumFractionDigits: fraction, maximumFractionDigits: fraction }),
  );
}

function unitFormat(locale: string, unit: string): Intl.NumberFormat {
  return cached(spanFormats, `${locale} ${unit}`, () =>
    new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 0 }),
  );
}

function timeFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return cached(timeFormats, `${locale} ${JSON.stringify(options)}`, () => new Intl.DateTimeFormat(locale, options));
}

/** Making an Intl formatter is slow, using one is not. */
function cached<V>(known: Map<string, V>, key: string, make: () => V): V {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}
