import { describe, expect, it } from 'vitest';
import { bars, BASE } from '../src/components/analytics/bars';
import {
  change,
  dayText,
  lasting,
  money,
  moneyRange,
  percent,
  roundUp,
  siteTime,
  weekdayName,
} from '../src/components/analytics/figures';
import { histogram } from '../src/components/analytics/histogram';
import { addDays, isDay, localDay, presetDays, presetOf } from '../src/components/analytics/period';
import type { Amount } from '../src/components/analytics/model';

const plain = (text: string) => text.replace(/[\u00a0\u2009\u202f]/g, ' ');

describe('days', () => {
  it('of presets end today', () => {
    expect(presetDays('week', '2026-03-03')).toEqual({ since: '2026-02-25', until: '2026-03-04' });
    expect(presetDays('month', '2026-03-03')).toEqual({ since: '2026-03-01', until: '2026-03-04' });
    expect(presetDays('last_month', '2026-03-31')).toEqual({ since: '2026-02-01', until: '2026-03-01' });
    expect(presetDays('last_month', '2026-01-05')).toEqual({ since: '2025-12-01', until: '2026-01-01' });
    expect(presetDays('year', '2026-03-03')).toEqual({ since: '2026-01-01', until: '2026-03-04' });
  });

  it('are recognised as a preset', () => {
    expect(presetOf(presetDays('last_month', '2026-03-31'), '2026-03-31')).toBe('last_month');
    expect(presetOf({ since: '2026-03-02', until: '2026-03-04' }, '2026-03-31')).toBeNull();
  });

  it('go on across months and changes of the clock', () => {
    expect(addDays('2026-02-28', 1)).toBe('2026-03-01');
    expect(addDays('2026-10-25', 1)).toBe('2026-10-26');
    expect(addDays('2026-01-01', -1)).toBe('2025-12-31');
    expect(localDay(new Date(2026, 0, 9, 23, 59).getTime())).toBe('2026-01-09');
  });

  it('are only what looks like one', () => {
    expect(['2026-02-28', '2026-13-01', '26-01-01', 'today', null].map(isDay)).toEqual([true, false, false, false, false]);
  });
});

describe('figures', () => {
  it('never round nearly all up to all', () => {
    expect(percent(1, 'en')).toBe('100%');
    expect(percent(0.99996, 'en')).toBe('99.99%');
    expect(percent(0.996, 'en')).toBe('99.6%');
    expect(percent(0.994, 'en')).toBe('99%');
    expect(percent(0.0123, 'en', 1)).toBe('1.2%');
    expect(percent(null, 'en')).toBe('–');
  });

  it('of money are one where both bounds look the same', () => {
    expect(money(1.5, 'EUR', 'en')).toBe('€1.50');
    expect(plain(moneyRange(1.5, 1.501, 'EUR', 'en'))).toBe('€1.50');
    expect(plain(moneyRange(1.5, 2, 'EUR', 'en'))).toMatch(/^€1\.50 ?– ?€?2\.00$/);
    expect(moneyRange(null, 2, 'EUR', 'en')).toBe('–');
    expect(money(1, null, 'en')).toBe('–');
  });

  it('change only where both periods are known', () => {
    const part = (value: number | null, coverage: number | null) => ({ value, coverage });
    expect(change(part(112, 1), part(100, 0.9), 'en')).toBe('+12%');
    expect(change(part(100, 1), part(100, 1), 'en')).toBe('0%');
    expect(change(part(112, 1), part(100, 0.89), 'en')).toBe('–');
    expect(change(part(112, null), part(100, 1), 'en')).toBe('–');
    expect(change(part(112, 1), part(0, 1), 'en')).toBe('–');
    expect(change(part(null, 1), part(5, 1), 'en')).toBe('–');
  });

  it('last in their two largest units', () => {
    expect(lasting(200, 'en')).toBe('0.2s');
    expect(lasting(3_800, 'en')).toBe('3.8s');
    expect(lasting(166_000, 'en')).toBe('2m 46s');
    expect(lasting(7_200_000, 'en')).toBe('2h');
    expect(lasting(90_061_000, 'en')).toBe('1d 1h');
    expect(lasting(0, 'en')).toBe('0s');
    expect(lasting(null, 'en')).toBe('–');
  });

  it('stand at the site’s day and time', () => {
    expect(dayText('2026-10-25', 'en-GB', { dateStyle: 'medium' })).toBe('25 Oct 2026');
    expect(siteTime(Date.UTC(2026, 9, 31, 23, 30), 'Europe/Vienna', 'en-GB')).toBe('1 Nov 2026, 00:30');
    expect([0, 6].map((day) => weekdayName(day, 'en'))).toEqual(['Mon', 'Sun']);
  });

  it('end an axis at a round number', () => {
    expect([0, 0.9, 1, 5.2, 61, 149].map(roundUp)).toEqual([1, 1, 1, 6, 80, 150]);
  });
});

describe('pictures', () => {
  const amount = (energy_kwh: number, coverage: number | null, in_gap_kwh = 0): Amount => ({
    energy_kwh,
    in_gap_kwh,
    total_kwh: energy_kwh + in_gap_kwh,
    unpriced_kwh: 0,
    cost: null,
    cost_low: null,
    cost_high: null,
    coverage,
  });

  it('of days stack what flowed in gaps, and mark what is not known', () => {
    const picture = bars(
      [
        { day: '2026-10-01', amount: amount(4, 1) },
        { day: '2026-10-02', amount: amount(2, 0.5, 1) },
        { day: '2026-10-03', amount: amount(0, 0) },
        { day: '2026-10-04', amount: amount(0, 1) },
      ],
      400,
    );
    expect(picture.top).toBe(4);
    const [full, stacked, missing, idle] = picture.bars;
    expect(full?.metered.y).toBe(10);
    expect(stacked?.gap.y).toBeCloseTo(stacked!.metered.y - stacked!.gap.height);
    expect([full, stacked, missing, idle].map((bar) => [bar?.missing, bar?.partial])).toEqual([
      [false, false],
      [false, true],
      [true, false],
      [false, false],
    ]);
    expect(idle?.metered).toEqual({ y: BASE, height: 0 });
  });

  it('of a year have labels that do not touch', () => {
    const days = Array.from({ length: 365 }, (_, index) => ({ day: addDays('2026-01-01', index), amount: amount(1, 1) }));
    const { labels } = bars(days, 390);
    expect(labels.length).toBeLessThanOrEqual(6);
    expect(labels.length).toBeGreaterThan(2);
  });

  it('of voltage tell what lies outside of the limits', () => {
    const picture = histogram([{ percent: 84, count: 1 }, { percent: 100, count: 500 }, { percent: 110, count: 2 }], 400);
    expect(picture.bars.map(({ outside }) => outside)).toEqual([true, false, true]);
    expect(picture.bars[0]?.height).toBe(1.5);
    expect(picture.limits.map(({ percent }) => percent)).toEqual([90, 110]);
  });
});
