/** Days as ISO dates, without a time zone: the server knows the site's. `until` is the day after the last. */

export interface Days {
  since: string;
  until: string;
}

export const PRESETS = ['week', 'month', 'last_month', 'year'] as const;
export type Preset = (typeof PRESETS)[number];

/** The days that a preset means on a day. */
export function presetDays(preset: Preset, today: string): Days {
  const tomorrow = addDays(today, 1);
  const month = `${today.slice(0, 7)}-01`;
  switch (preset) {
    case 'week':
      return { since: addDays(today, -6), until: tomorrow };
    case 'month':
      return { since: month, until: tomorrow };
    case 'last_month':
      return { since: `${addDays(month, -1).slice(0, 7)}-01`, until: month };
    case 'year':
      return { since: `${today.slice(0, 4)}-01-01`, until: tomorrow };
  }
}

/** The preset that these days are, null for days of the person's own. */
export function presetOf(days: Days, today: string): Preset | null {
  const same = (preset: Preset) => {
    const meant = presetDays(preset, today);
    return meant.since === days.since && meant.until === days.until;
  };
  return PRESETS.find(same) ?? null;
}

export function addDays(day: string, count: number): string {
  return new Date(Date.parse(day) + count * 86_400_000).toISOString().slice(0, 10);
}

/** The browser's date at a time, as the site most often has it too. */
export function localDay(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

export function isDay(text: string | null): text is string {
  return text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
}
