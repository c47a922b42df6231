import { beforeAll, describe, expect, it, vi } from 'vitest';
import { search } from '../src/lib/api';
import type { parse as Parse } from '../src/lib/router.svelte';
import { sparkline } from '../src/components/outlet/sparkline';

describe('addresses', () => {
  let parse: typeof Parse;

  beforeAll(async () => {
    vi.stubGlobal('location', { hash: '' });
    vi.stubGlobal('addEventListener', () => undefined);
    ({ parse } = await import('../src/lib/router.svelte'));
  });

  it('name pages', () => {
    expect(parse('')).toEqual({ page: 'overview' });
    expect(parse('#/')).toEqual({ page: 'overview' });
    expect(parse('#/pdu/rack-1')).toEqual({ page: 'pdu', id: 'rack-1' });
    expect(parse('#/analytics?pdu=rack-1')).toMatchObject({ page: 'analytics' });
    expect(parse('#/nowhere')).toEqual({ page: 'missing' });
    expect(parse('#/pdu/rack-1/more')).toEqual({ page: 'missing' });
  });

  it('carry a query', () => {
    const route = parse('#/history?pdu=rack-1&outlets=1,2');
    expect(route.page === 'history' && route.query.get('outlets')).toBe('1,2');
  });

  it('with a broken escape name something, not an error', () => {
    expect(parse('#/pdu/%E0%A4%A')).toEqual({ page: 'pdu', id: '%E0%A4%A' });
  });
});

it('a query string leaves out what is empty', () => {
  expect(search({ pdu: 'a b', code: '', cursor: undefined, limit: 5 })).toBe('?pdu=a+b&limit=5');
  expect(search({ pdu: '' })).toBe('');
});

describe('a sparkline', () => {
  const draw = (values: (number | null)[], stepMs = 1_000) =>
    sparkline(
      values.map((value, index) => ({ t: index * stepMs, value })),
      (values.length - 1) * stepMs,
      120_000,
      240,
      40,
    );

  it('needs two readings', () => {
    expect(draw([1])).toBeNull();
    expect(draw([null, null])).toBeNull();
  });

  it('breaks where a reading is unknown, and where readings are missing', () => {
    expect(draw([1, 2, null, 3, 4])?.line.match(/M/g)).toHaveLength(2);
    expect(draw([1, 2], 10_000)?.line.match(/M/g)).toHaveLength(2);
  });

  it('tells the lowest and the highest', () => {
    expect(draw([5, 80, 20])).toMatchObject({ low: 5, high: 80 });
  });
});
