/** Spans of time that the history shows. Pure: `now` is an argument; all in ms. */

export interface Window {
  since: number;
  until: number;
}

const HOUR = 3_600_000;

export const PRESETS = {
  hour: HOUR,
  sixHours: 6 * HOUR,
  day: 24 * HOUR,
  week: 7 * 24 * HOUR,
  month: 30 * 24 * HOUR,
} as const;

export type Preset = keyof typeof PRESETS;

const SHORTEST = 60_000;
const LONGEST = 5 * 366 * 24 * HOUR;

export function isPreset(name: string | null): name is Preset {
  return name !== null && Object.hasOwn(PRESETS, name);
}

/** The window of a preset, which ends now. */
export function ofPreset(preset: Preset, now: number): Window {
  return { since: now - PRESETS[preset], until: now };
}

/** The window with its span times `factor` around its middle. */
export function zoomed(window: Window, factor: number, now: number): Window {
  const middle = (window.since + window.until) / 2;
  const half = (span(window) * factor) / 2;
  return fitted({ since: middle - half, until: middle + half }, now);
}

/** The same, but around its end: for a window that ends now, where the interest is. */
export function zoomedAtEnd(window: Window, factor: number, now: number): Window {
  return fitted({ since: window.until - span(window) * factor, until: window.until }, now);
}

/** The window moved by a part of its span; negative is earlier. */
export function panned(window: Window, part: number, now: number): Window {
  const by = span(window) * part;
  return fitted({ since: window.since + by, until: window.until + by }, now);
}

/** The window within what can be shown: between one minute and five years long, ending now at the latest. */
export function fitted(window: Window, now: number): Window {
  const length = Math.round(Math.min(LONGEST, Math.max(SHORTEST, span(window))));
  const until = Math.round(Math.min(now, (window.since + window.until) / 2 + length / 2));
  return { since: until - length, until };
}

export function span(window: Window): number {
  return window.until - window.since;
}
