/** What things are called on the page. */

import { i18n } from './i18n/i18n.svelte';
import { live } from './live/live.svelte';
import type { Alarm, Outlet, PduEvent, SourceName } from './model';

export function sourceName(source: SourceName | null): string {
  return source === null ? i18n.t.unknown : i18n.t.source[source];
}

export function pduName(id: string): string {
  return live.pdus.get(id)?.name ?? (id || i18n.t.events.controlCenter);
}

/** The event's kind: the catalog's word, else the server's own. */
export function eventTitle(event: Pick<PduEvent, 'code' | 'title'>): string {
  return i18n.t.eventCodes[event.code] ?? (event.title || event.code);
}

export function alarmTitle(alarm: Pick<Alarm, 'kind' | 'title'>): string {
  return i18n.t.eventCodes[alarm.kind] ?? (alarm.title || alarm.kind);
}

/** Where something happened: the PDU, and the outlet or source where one is concerned. */
export function where({ pdu_id, outlet, source }: Pick<PduEvent, 'pdu_id' | 'outlet' | 'source'>): string {
  const part = outlet !== null ? outletName(pdu_id, outlet) : source !== null ? sourceName(source) : null;
  return part === null ? pduName(pdu_id) : `${pduName(pdu_id)} · ${part}`;
}

function outletName(pduId: string, n: number): string {
  const name = live.pdus.get(pduId)?.outlets.find((outlet) => outlet.n === n)?.name;
  return name ? `${n} ${name}` : i18n.t.outlet.label(n);
}

export type OutletState = 'on' | 'off' | 'tripped' | 'unknown';

export function outletState(outlet: Outlet): OutletState {
  if (outlet.trip !== null) return 'tripped';
  if (outlet.on === null) return 'unknown';
  return outlet.on ? 'on' : 'off';
}

export function outletStateText(outlet: Outlet): string {
  const t = i18n.t.outlet;
  return { on: t.on, off: t.off, tripped: t.tripped, unknown: t.stateUnknown }[outletState(outlet)];
}
