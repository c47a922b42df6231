import { describe, expect, test } from 'vitest';
import { moved, ordered, placed } from '../src/components/limits/order';
import { shownAs, toShown, toWire } from '../src/components/limits/units';
import type { Setting } from '../src/lib/model';

const limit: Setting = { name: 'limit_ma', per: 'outlet', default: 4000, low: 100, high: 10_000, choices: [] };
const power: Setting = { name: 'limit_mw', per: 'outlet', default: 4_000_000, low: 1000, high: 4_000_000, choices: [] };
const pause: Setting = { name: 'sequence_ms', per: 'pdu', default: 250, low: 0, high: 60_000, choices: [] };
const delay: Setting = { name: 'restore_delay_s', per: 'pdu', default: 30, low: 1, high: 3600, choices: [] };

describe('units', () => {
  test('a limit is shown in amperes and kept in milliamperes', () => {
    expect(shownAs(limit)).toEqual({ unit: 'A', per: 1000, step: 0.1 });
    expect(toShown(2500, limit)).toBe(2.5);
    expect(toWire('2.5', limit)).toBe(2500);
    expect(toWire('0.3', limit)).toBe(300);
  });

  test('what is out of the range, or no number, is none', () => {
    expect(['0.09', '10.1', '', ' ', 'much', '-1'].map((typed) => toWire(typed, limit))).toEqual(Array(6).fill(null));
  });

  test('a power is a whole number of watts, as the device keeps it', () => {
    expect(toWire('150', power)).toBe(150_000);
    expect(toWire('150.5', power)).toBeNull();
  });

  test('times are shown in seconds, whichever unit they are kept in', () => {
    expect(toWire('0.25', pause)).toBe(250);
    expect(toWire('30', delay)).toBe(30);
    expect([shownAs(pause).unit, shownAs(delay).unit]).toEqual(['s', 's']);
  });
});

describe('order', () => {
  const outlets = [1, 2, 3, 4].map((n) => ({ n }));

  test('equal priorities stand by their number', () => {
    const priorities: Record<number, number> = { 1: 4, 2: 1, 3: 4, 4: 2 };
    expect(ordered(outlets, (n) => priorities[n]!).map(({ n }) => n)).toEqual([2, 4, 1, 3]);
  });

  test('a moved outlet takes its place, and the others close up', () => {
    expect(moved([1, 2, 3, 4], 4, 0)).toEqual([4, 1, 2, 3]);
    expect(moved([1, 2, 3, 4], 1, 2)).toEqual([2, 3, 1, 4]);
  });

  test('places are priorities from 1, the last of which is shared', () => {
    expect(placed([3, 1])).toEqual([
      [3, 1],
      [1, 2],
    ]);
    expect(placed([1, 2, 3, 4, 5, 6, 7, 8, 9]).slice(-2)).toEqual([
      [8, 8],
      [9, 8],
    ]);
  });
});
