import type { History } from '../../lib/model';
import { columns, rows } from './points';

/** The shown data as CSV (RFC 4180): UTC times, a decimal point, an empty field for unknown. */
export function csv(history: History): string {
  const wanted = columns(history);
  const unit = { power_w: 'W', voltage_v: 'V' };
  const head = ['time_utc', ...wanted.flatMap(({ name, quantity }) => ['min', 'avg', 'max'].map((part) => `${name} ${part} ${unit[quantity]}`))];
  const body = rows(history).map(({ t, cells }) => [
    new Date(t).toISOString(),
    ...cells.flatMap((cell) => [cell?.min, cell?.avg, cell?.max].map((value) => (value ?? '').toString())),
  ]);
  return [head, ...body].map((fields) => fields.map(quoted).join(',')).join('\r\n') + '\r\n';
}

/** A spreadsheet would run a name that begins like a formula: it gets an apostrophe in front. */
function quoted(field: string): string {
  const safe = /^[=+@\t\r]|^-(?![\d.])/.test(field) ? `'${field}` : field;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
