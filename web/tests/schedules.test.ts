import { describe, expect, test } from 'vitest';
import { lanes, monday, pieces, wall } from '../src/components/schedules/calendar';
import type { Schedule } from '../src/components/schedules/model';
import { daysOf, fresh, moved, ruleOf, shifted } from '../src/components/schedules/rule';

const ZONE = 'Europe/Vienna';

describe('calendar', () => {
  test('an instant stands where the clock of the site shows it', () => {
    expect(wall(Date.parse('2026-11-24T22:30:00Z'), ZONE)).toEqual({ day: '2026-11-24', minute: 23 * 60 + 30 });
    expect(wall(Date.parse('2026-11-24T23:30:00Z'), ZONE)).toEqual({ day: '2026-11-25', minute: 30 });
  });

  test('on the day of the change the clock counts, not the hours that pass', () => {
    expect(wall(Date.parse('2026-10-25T05:00:00Z'), ZONE).minute).toBe(6 * 60);
  });

  test('a week begins on Monday', () => {
    expect(['2026-11-23', '2026-11-24', '2026-11-29'].map(monday)).toEqual(Array(3).fill('2026-11-23'));
  });

  test('a night is cut at midnight, and one that ends there does not reach the next day', () => {
    const night = { start_ms: Date.parse('2026-11-24T21:00:00Z'), end_ms: Date.parse('2026-11-25T05:00:00Z') };
    const evening = { start_ms: night.start_ms, end_ms: Date.parse('2026-11-24T23:00:00Z') };
    const week = ['2026-11-24', '2026-11-25'];
    expect(pieces([night], week, ZONE).map(({ day, from, until, first }) => [day, from, until, first])).toEqual([
      ['2026-11-24', 22 * 60, 1440, true],
      ['2026-11-25', 0, 6 * 60, false],
    ]);
    expect(pieces([evening], week, ZONE).map(({ day }) => day)).toEqual(['2026-11-24']);
  });

  test('an instant is a piece without a length', () => {
    const [piece] = pieces([{ start_ms: Date.parse('2026-11-24T05:00:00Z'), end_ms: null }], ['2026-11-24'], ZONE);
    expect([piece?.from, piece?.until]).toEqual([360, 360]);
  });

  test('what overlaps stands side by side, what does not takes the whole width', () => {
    const at = (from: number, until: number) => ({ item: null, day: '', from, until, first: true });
    const placed = lanes([at(0, 60), at(30, 90), at(60, 120), at(200, 260)], 20);
    expect(placed.map(({ lane, count }) => [lane, count])).toEqual([
      [0, 2],
      [1, 2],
      [0, 2],
      [0, 1],
    ]);
  });
});

describe('rules', () => {
  test('weekly and daily rules are days of the week, others are left alone', () => {
    expect(daysOf('FREQ=WEEKLY;BYDAY=FR,MO')).toEqual(['MO', 'FR']);
    expect(daysOf('FREQ=DAILY')).toHaveLength(7);
    expect(daysOf('FREQ=MONTHLY;BYDAY=1MO')).toBeNull();
    expect(daysOf('FREQ=WEEKLY;INTERVAL=2;BYDAY=MO')).toBeNull();
    expect(daysOf('')).toBeNull();
  });

  test('days make a rule and come back from it', () => {
    expect(ruleOf(['SU', 'MO'])).toBe('FREQ=WEEKLY;BYDAY=MO,SU');
    expect(daysOf(ruleOf(['WE']))).toEqual(['WE']);
  });

  test('a time moves round the clock', () => {
    expect([moved('22:50', 75), moved('00:05', -15), moved('08:00', 0)]).toEqual(['00:05', '23:50', '08:00']);
  });

  test('a schedule that is moved takes its end along; one by the sun cannot be', () => {
    const base = { ...fresh('2026-11-24', null), id: 's', version: 3, changed_by: '', next: null } as Schedule;
    expect(shifted(base, -30)).toMatchObject({ begin: { at: '07:30' }, end: { at: '17:30' } });
    expect(shifted({ ...base, begin: { sun: 'sunset', offset_min: 10 } }, 15)).toBeNull();
  });
});
