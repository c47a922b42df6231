import { describe, expect, it } from 'vitest';
import { delayMs } from '../src/lib/live/backoff';
import { Ring } from '../src/lib/live/ring';
import { apply, type LiveState } from '../src/lib/live/state';
import type { LiveMessage, Pdu, Readings } from '../src/lib/model';
import { alarm, command, event, liveState, pdu } from './samples';

function snapshot(pdus: Pdu[], change: Partial<Extract<LiveMessage, { type: 'snapshot' }>> = {}): LiveMessage {
  const server = { database: 'ok', broker: 'ok' } as const;
  return { type: 'snapshot', pdus, alarms: [], last_event_id: 0, server_ms: 0, server, ...change };
}

function after(...messages: LiveMessage[]): LiveState {
  const state = liveState();
  for (const message of messages) apply(state, message, 0);
  return state;
}

describe('a snapshot', () => {
  it('replaces what was known: a removed PDU disappears', () => {
    const state = after(snapshot([pdu(), pdu({ id: 'rack-2' })]), snapshot([pdu({ id: 'rack-2', name: 'New' })]));
    expect([...state.pdus.values()].map((one) => one.name)).toEqual(['New']);
  });

  it('tells the difference between the clocks', () => {
    const state = liveState();
    apply(state, snapshot([], { server_ms: 5_000 }), 2_000);
    expect(state.offsetMs).toBe(3_000);
  });

  it('keeps the place in the events, so that missed ones can follow', () => {
    const state = after(snapshot([], { last_event_id: 4 }), { type: 'event', event: event(5) }, snapshot([], { last_event_id: 9 }));
    expect(state.lastEventId).toBe(5);
    expect(state.events).toHaveLength(1);
  });

  it('of a server that counts anew forgets the events of the old one', () => {
    const state = after(snapshot([]), { type: 'event', event: event(50) }, snapshot([], { last_event_id: 3 }));
    expect(state.events).toEqual([]);
    expect(state.lastEventId).toBe(3);
  });
});

describe('a change', () => {
  it('replaces the whole PDU', () => {
    const state = after(snapshot([pdu()]), { type: 'pdu', pdu: pdu({ active: 'backup' }) });
    expect(state.pdus.get('rack-1')?.active).toBe('backup');
  });

  it('of readings leaves what they do not tell', () => {
    const readings: Readings = {
      id: 'rack-1',
      as_of_ms: 2_000,
      age_ms: 0,
      quality: 'good',
      active: 'backup',
      live: true,
      power_w: 120,
      current_a: 0.6,
      sources: [{ source: 'backup', voltage_v: 231, frequency_hz: 49.9 }],
      outlets: [
        { n: 1, voltage_v: 231, current_a: 0.6, power_w: 120, power_factor: 0.9, energy_kwh: 13, today_kwh: 2 },
      ],
    };
    const state = after(snapshot([pdu()]), { type: 'readings', readings });
    const known = state.pdus.get('rack-1');
    expect(known).toMatchObject({ name: 'Rack 1', active: 'backup', power_w: 120 });
    expect(known?.outlets).toMatchObject([{ name: 'Router', why: 'On: switched on by admin.', power_w: 120, today_kwh: 2 }]);
    expect(known?.sources).toMatchObject([
      { source: 'main', grade: 'good', voltage_v: 230 },
      { source: 'backup', grade: 'good', voltage_v: 231 },
    ]);
    expect(state.rings.get('rack-1/1')?.samples).toEqual([
      { t: 1_000, value: 100 },
      { t: 2_000, value: 120 },
    ]);
  });

  it('of readings of a PDU that is not known is ignored', () => {
    const { sources: _, outlets: __, ...rest } = pdu({ id: 'rack-9' });
    const state = after(snapshot([pdu()]), { type: 'readings', readings: { ...rest, sources: [], outlets: [] } });
    expect([...state.pdus.keys()]).toEqual(['rack-1']);
  });

  it('closes an alarm that was cleared', () => {
    const state = after({ type: 'alarm', alarm: alarm(1) }, { type: 'alarm', alarm: alarm(2) }, { type: 'alarm', alarm: alarm(1, 9) });
    expect([...state.alarms.keys()]).toEqual([2]);
  });

  it('shows an event once, however often it comes', () => {
    const state = after({ type: 'event', event: event(1) }, { type: 'event', event: event(2) }, { type: 'event', event: event(1) });
    expect(state.events.map((one) => one.id)).toEqual([2, 1]);
  });

  it('does not let a command that has ended wait again', () => {
    const state = after({ type: 'command', command: command('a', 'confirmed') }, { type: 'command', command: command('a', 'pending') });
    expect(state.commands.get('a')?.status).toBe('confirmed');
  });

  it('lets a late answer settle a command that was given up', () => {
    const state = after({ type: 'command', command: command('a', 'unknown') }, { type: 'command', command: command('a', 'confirmed') });
    expect(state.commands.get('a')?.status).toBe('confirmed');
  });

  it('records power once for each time of the readings', () => {
    const state = after(snapshot([pdu()]), { type: 'pdu', pdu: pdu() }, { type: 'pdu', pdu: pdu({ as_of_ms: 2_000 }) });
    expect(state.rings.get('rack-1/1')?.samples).toEqual([
      { t: 1_000, value: 100 },
      { t: 2_000, value: 100 },
    ]);
  });
});

describe('a ring', () => {
  it('holds its window and no more', () => {
    const ring = new Ring(10);
    for (let t = 0; t <= 30; t += 5) ring.push(t, t);
    expect(ring.samples.map((sample) => sample.t)).toEqual([20, 25, 30]);
    expect(ring.peak).toBe(30);
  });

  it('takes seeds in front of what came live', () => {
    const ring = new Ring(100);
    ring.push(50, 5);
    ring.seed([{ t: 40, value: 4 }, { t: 50, value: 9 }, { t: 60, value: 9 }]);
    expect(ring.samples).toEqual([{ t: 40, value: 4 }, { t: 50, value: 5 }]);
  });

  it('has no peak where nothing is known', () => {
    const ring = new Ring(10);
    ring.push(1, null);
    expect(ring.peak).toBeNull();
  });
});

it('waits longer after each failure, up to 10 s, and never less than half of it', () => {
  expect(delayMs(0, 0)).toBe(250);
  expect(delayMs(3, 1)).toBe(4_000);
  expect(delayMs(50, 0)).toBe(5_000);
  expect(delayMs(50, 1)).toBe(10_000);
});
