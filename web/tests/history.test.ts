import { describe, expect, it } from 'vitest';
import { csv } from '../src/components/history/csv';
import { bucketAt, energy, points, rows, withContext } from '../src/components/history/points';
import { strip } from '../src/components/history/strip';
import { fitted, ofPreset, panned, span, zoomed, zoomedAtEnd } from '../src/components/history/window';
import type { History } from '../src/lib/model';
import { event } from './samples';

const band = (...avg: number[]) => ({ min: avg, avg, max: avg });

function history(names = ['Router', 'main']): History {
  return {
    tier: '1m',
    bucket_ms: 60_000,
    since_ms: 0,
    until_ms: 300_000,
    events: [],
    series: [
      { channel: '1', name: names[0]!, t_ms: [0, 60_000, 240_000], power_w: band(10, 20, 30), voltage_v: band(1, 2, 3) },
      { channel: 'main', name: names[1]!, t_ms: [60_000], voltage_v: band(230), power_w: null },
    ],
  };
}

describe('a gap', () => {
  it('breaks the line where buckets are absent', () => {
    const found = points([0, 60_000, 240_000], band(10, 20, 30), 60_000);
    expect(found.map((point) => point.avg)).toEqual([10, 20, null, 30]);
  });

  it('is nowhere to be found under the pointer', () => {
    const t = [0, 60_000, 240_000];
    expect(bucketAt(t, 60_000, 70_000)).toBe(1);
    expect(bucketAt(t, 60_000, 200_000)).toBe(-1);
    expect(bucketAt(t, 60_000, -5)).toBe(-1);
    expect(bucketAt([], 60_000, 0)).toBe(-1);
  });

  it('keeps its energy apart, and in the total', () => {
    const series = { channel: '1', name: 'Router', t_ms: [], energy_kwh: [1, 2], in_gap_kwh: [0, 0.5], total_kwh: 3.5 };
    expect(energy(series)).toEqual({ total: 3.5, inGap: 0.5 });
  });
});

describe('points around the window', () => {
  it('come from the coarser answer, those inside from the finer one', () => {
    const at = (t: number) => ({ t, min: t, avg: t, max: t });
    const found = withContext([at(10), at(11)], [at(0), at(10), at(20)], { since: 10, until: 20 });
    expect(found.map((point) => point.t)).toEqual([0, 10, 11, 20]);
  });
});

describe('the table', () => {
  it('has the power of outlets and the voltage of sources, by time', () => {
    const found = rows(history());
    expect(found.map((row) => row.cells.map((cell) => cell?.avg))).toEqual([
      [10, undefined],
      [20, 230],
      [30, undefined],
    ]);
  });

  it('as CSV has a decimal point, UTC times and an empty field for unknown', () => {
    const [head, first] = csv(history()).split('\r\n');
    expect(head).toBe('time_utc,Router min W,Router avg W,Router max W,main min V,main avg V,main max V');
    expect(first).toBe('1970-01-01T00:00:00.000Z,10,10,10,,,');
  });

  it('as CSV cannot be made to run a formula or to break its columns by a name', () => {
    const [head] = csv(history(['=HYPERLINK("x")', 'a,b'])).split('\r\n');
    expect(head).toContain(`"'=HYPERLINK(""x"") min W"`);
    expect(head).toContain('"a,b min V"');
  });
});

describe('the window', () => {
  const now = 1_000_000_000;

  it('never ends after now', () => {
    expect(panned(ofPreset('hour', now), 0.5, now)).toEqual(ofPreset('hour', now));
    expect(zoomed(ofPreset('hour', now), 2, now).until).toBe(now);
  });

  it('stays between a minute and five years', () => {
    expect(span(fitted({ since: 10, until: 11 }, now))).toBe(60_000);
    expect(span(zoomed({ since: -4e12, until: now }, 10, now))).toBe(5 * 366 * 86_400_000);
  });

  it('zooms around its middle, or its end', () => {
    expect(zoomed({ since: 0, until: 400_000 }, 0.5, now)).toEqual({ since: 100_000, until: 300_000 });
    expect(zoomedAtEnd({ since: 0, until: 400_000 }, 0.5, now)).toEqual({ since: 200_000, until: 400_000 });
  });
});

describe('the strip of events', () => {
  it('joins what would overlap and shows the gravest of it', () => {
    const marks = strip(
      [event(1, { ts_ms: 10 }), event(2, { ts_ms: 11, severity: 'critical' }), event(3, { ts_ms: 90 }), event(4, { ts_ms: 200 })],
      { since: 0, until: 100 },
      0.1,
    );
    expect(marks.map((mark) => [mark.severity, mark.events.map((one) => one.id)])).toEqual([
      ['critical', [1, 2]],
      ['info', [3]],
    ]);
  });
});
