import { describe, expect, it } from 'vitest';
import { conductors } from '../src/components/diagram/energised';
import { flowPath, geometry } from '../src/components/diagram/geometry';
import { outlet, pdu } from './samples';

describe('what a conductor carries', () => {
  it('is current from the active source to each outlet that draws', () => {
    const found = conductors(pdu({ outlets: [outlet({ n: 1 }), outlet({ n: 2, on: false, current_a: 0, power_w: 0 })] }));
    expect(found.main).toBe('flow');
    expect(found.backup).toBe('live');
    expect(found.bus).toBe('flow');
    expect([...found.feeders]).toEqual([
      [1, 'flow'],
      [2, 'dead'],
    ]);
  });

  it('is nothing behind a bus without voltage', () => {
    const dead = conductors(
      pdu({
        live: false,
        sources: [{ source: 'main', grade: 'bad', voltage_v: 0, frequency_hz: null }],
        outlets: [outlet({ current_a: 0 })],
      }),
    );
    expect(dead.main).toBe('dead');
    expect(dead.bus).toBe('dead');
    expect(dead.feeders.get(1)).toBe('dead');
  });

  it('is unknown, not dead, where nothing was told', () => {
    const found = conductors(pdu({ live: null, active: null, sources: [], outlets: [outlet({ on: null, current_a: null })] }));
    expect([found.main, found.trunk, found.bus, found.feeders.get(1)]).toEqual(Array(4).fill('unknown'));
  });

  it('is current behind an open contact that is welded', () => {
    expect(conductors(pdu({ outlets: [outlet({ on: false })] })).feeders.get(1)).toBe('flow');
  });
});

describe('the drawing', () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

  it.each([
    [326, 4],
    [326, 8],
    [326, 24],
    [740, 48],
    [1200, 1],
  ])('at %i px keeps %i outlets inside, each once, and apart', (width, count) => {
    const g = geometry(width, numbers(count), true);
    const feeders = g.rows.flatMap((row) => row.feeders);
    expect(feeders.map((feeder) => feeder.n)).toEqual(numbers(count));
    for (const row of g.rows) {
      row.feeders.forEach(({ x }, index) => {
        expect(x).toBeGreaterThan(0);
        expect(x).toBeLessThan(width);
        if (index > 0) expect(x - row.feeders[index - 1]!.x).toBeGreaterThanOrEqual(34);
      });
    }
  });

  it('leads the current of a lower row through the riser', () => {
    const g = geometry(326, numbers(16), false);
    const row = g.rows.at(-1)!;
    expect(g.rows.length).toBeGreaterThan(1);
    expect(flowPath(g, 'main', row.feeders[0]!, row.busY)).toContain(`H${g.riserX}V${row.busY}`);
  });
});
