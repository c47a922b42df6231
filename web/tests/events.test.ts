import { describe, expect, it } from 'vitest';
import { chains, fits, merged } from '../src/components/events/chains';
import { event } from './samples';

describe('chains of cause and effect', () => {
  it('put effects under their cause, in the order in which they happened', () => {
    const found = chains([event(4), event(3, { because: 1 }), event(2, { because: 1 }), event(1)]);
    expect(found.map((chain) => chain.event.id)).toEqual([4, 1]);
    expect(found[1]?.effects.map((chain) => chain.event.id)).toEqual([2, 3]);
  });

  it('make a root of an event whose cause is not there', () => {
    expect(chains([event(5, { because: 1 })]).map((chain) => chain.event.id)).toEqual([5]);
  });

  it('lose nothing in a circle', () => {
    const found = chains([event(1, { because: 2 }), event(2, { because: 1 })]);
    expect(found.map((chain) => chain.event.id)).toEqual([1]);
    expect(found[0]?.effects.map((chain) => chain.event.id)).toEqual([2]);
  });
});

it('merging has each event once, newest first', () => {
  expect(merged([event(3), event(2)], [event(2), event(1)]).map((one) => one.id)).toEqual([3, 2, 1]);
});

it('a filter compares PDU, severity and code exactly, and searches the text', () => {
  const one = event(1, { code: 'trip', severity: 'critical', text: 'Outlet 4 opened' });
  const any = { pdu: '', severity: '', code: '', text: '' };
  expect(fits(one, any, 'Trip', 'Rack 1')).toBe(true);
  expect(fits(one, { ...any, text: ' OPENED ' }, 'Trip', 'Rack 1')).toBe(true);
  expect(fits(one, { ...any, text: 'rack 1' }, 'Trip', 'Rack 1')).toBe(true);
  expect(fits(one, { ...any, pdu: 'rack-2' }, 'Trip', 'Rack 1')).toBe(false);
  expect(fits(one, { ...any, severity: 'info' }, 'Trip', 'Rack 1')).toBe(false);
});
