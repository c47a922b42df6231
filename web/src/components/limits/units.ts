/** People set amperes, watts and seconds; the wire has their thousandths. */

import type { Setting } from '../../lib/model';

const SHOWN: readonly [suffix: string, per: number, unit: string][] = [
  ['_ma', 1000, 'A'],
  ['_mw', 1000, 'W'],
  ['_ms', 1000, 's'],
  ['_permille', 1000, ''],
  ['_s', 1, 's'],
];

export interface Shown {
  unit: string;
  /** Wire units in one shown unit. */
  per: number;
  step: number;
}

/** How a number is shown: a limit of 2500 mA as 2.5 A. Powers go in whole watts, as the device keeps them. */
export function shownAs(setting: Setting): Shown {
  const found = SHOWN.find(([suffix]) => setting.name.endsWith(suffix));
  if (!found) return { unit: '', per: 1, step: 1 };
  const [suffix, per, unit] = found;
  return { unit, per, step: suffix === '_mw' || per === 1 ? 1 : suffix === '_ma' ? 0.1 : 0.01 };
}

export function toShown(wire: number, setting: Setting): number {
  return wire / shownAs(setting).per;
}

/** The wire value of what was typed, or null if it is none that may be set. */
export function toWire(typed: string, setting: Setting): number | null {
  const { per } = shownAs(setting);
  const value = typed.trim() === '' ? NaN : Math.round(Number(typed) * per);
  const whole = setting.name.endsWith('_mw') ? value % 1000 === 0 : true;
  const within = setting.low !== null && setting.high !== null && value >= setting.low && value <= setting.high;
  return Number.isFinite(value) && within && whole ? value : null;
}
