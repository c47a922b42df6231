import { quantity } from '../../lib/format';
import type { Catalog } from '../../lib/i18n/en';
import type { Outlet, Pdu, Source } from '../../lib/model';

/** The diagram in sentences, for those who do not see it. */
export function describe(pdu: Pdu, t: Catalog, locale: string): string {
  const say = t.diagram.describe;
  return [
    ...pdu.sources.map((source) => sourceText(source, t, locale)),
    pdu.active === null ? say.transferUnknown : say.transfer(t.source[pdu.active]),
    say.isolator(pdu.isolator === null ? t.unknown : t.diagram[pdu.isolator]),
    say.bus(pdu.live === null ? t.unknown : pdu.live ? t.pdu.busLive : t.pdu.busDead),
    ...pdu.outlets.map((outlet) => outletText(outlet, t, locale)),
  ].join(' ');
}

function sourceText({ source, grade, voltage_v, frequency_hz }: Source, t: Catalog, locale: string): string {
  return t.diagram.describe.source(
    t.source[source],
    t.source.grades[grade ?? 'unknown'],
    quantity(voltage_v, 'voltage_v', locale),
    quantity(frequency_hz, 'frequency_hz', locale),
  );
}

function outletText(outlet: Outlet, t: Catalog, locale: string): string {
  const state = outlet.trip !== null ? t.outlet.tripped : switched(outlet.on, t);
  return t.diagram.describe.outlet(outlet.n, outlet.name, state, quantity(outlet.power_w, 'power_w', locale));
}

function switched(on: boolean | null, t: Catalog): string {
  if (on === null) return t.outlet.stateUnknown;
  return on ? t.outlet.on : t.outlet.off;
}
