import { describe, expect, it } from 'vitest';
import { digits, quantity, span, UNKNOWN, wholeSpan } from '../src/lib/format';

const plain = (text: string) => text.replaceAll('\u00a0', ' ').replaceAll('\u202f', ' ');

describe('numbers', () => {
  it('shows unknown as a dash, never as zero', () => {
    for (const unknown of [null, undefined, Number.NaN]) expect(digits(unknown, 'power_w', 'en')).toBe(UNKNOWN);
    expect(quantity(null, 'power_w', 'en')).toBe(UNKNOWN);
  });

  it('gives each quantity the digits that it is worth', () => {
    expect(plain(quantity(1234.56, 'power_w', 'en'))).toBe('1,235 W');
    expect(plain(quantity(10.384, 'power_w', 'en'))).toBe('10.4 W');
    expect(plain(quantity(0.082, 'current_a', 'en'))).toBe('0.08 A');
    expect(plain(quantity(49.9967, 'frequency_hz', 'en'))).toBe('50.00 Hz');
    expect(plain(quantity(123.456, 'energy_kwh', 'en'))).toBe('123.5 kWh');
    expect(quantity(0.546, 'power_factor', 'en')).toBe('0.55');
  });

  it('does not change its digits at the rounding edge', () => {
    expect(digits(99.97, 'power_w', 'en')).toBe('100');
  });

  it('writes numbers as the language does', () => {
    expect(plain(quantity(1234.5, 'power_w', 'de'))).toBe('1.235 W');
    expect(plain(quantity(230.44, 'voltage_v', 'de'))).toBe('230,4 V');
  });
});

describe('lengths of time', () => {
  it('are rounded down to one unit', () => {
    expect(plain(span(7_900, 'en'))).toBe('7 sec');
    expect(plain(span(185_000, 'en'))).toBe('3 min');
    expect(plain(span(3 * 86_400_000, 'de'))).toBe('3 Tg.');
  });

  it('of a bucket are told in the largest unit that fits', () => {
    expect(plain(wholeSpan(900_000, 'en'))).toBe('15 min');
    expect(plain(wholeSpan(60_000, 'en'))).toBe('1 min');
    expect(plain(wholeSpan(6_000, 'en'))).toBe('6 sec');
  });
});
