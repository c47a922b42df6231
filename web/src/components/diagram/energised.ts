import type { Outlet, Pdu, Source, SourceName } from '../../lib/model';

/** `dead`: no voltage · `live`: voltage, no current · `flow`: carries current · `unknown`: not told. */
export type Conductor = 'dead' | 'live' | 'flow' | 'unknown';

/** Less is the noise of a current sensor. */
const LEAST_CURRENT_A = 0.01;
/** Less than this part of the nominal voltage is no supply. */
const LEAST_VOLTAGE = 0.2;

export interface Conductors {
  main: Conductor;
  backup: Conductor;
  /** From the transfer switch to the isolator. */
  trunk: Conductor;
  /** Behind the isolator. */
  bus: Conductor;
  /** Behind each outlet's contact. */
  feeders: Map<number, Conductor>;
}

/** What each conductor of a PDU carries, as far as the readings tell. */
export function conductors(pdu: Pdu): Conductors {
  const feeders = new Map(pdu.outlets.map((outlet) => [outlet.n, feeder(pdu, outlet)]));
  const flows = [...feeders.values()].includes('flow');
  const voltage = new Map(pdu.sources.map((source) => [source.source, hasVoltage(source, pdu.nominal_v)]));
  const line = (name: SourceName): Conductor => {
    const known = voltage.get(name);
    if (known === undefined || known === null) return 'unknown';
    if (!known) return 'dead';
    return flows && pdu.active === name ? 'flow' : 'live';
  };
  return {
    main: line('main'),
    backup: line('backup'),
    trunk: pdu.active === null ? 'unknown' : line(pdu.active),
    bus: flows ? 'flow' : pdu.live === null ? 'unknown' : pdu.live ? 'live' : 'dead',
    feeders,
  };
}

function feeder(pdu: Pdu, outlet: Outlet): Conductor {
  if (outlet.current_a !== null && outlet.current_a > LEAST_CURRENT_A) return 'flow';
  if (outlet.on === null || pdu.live === null) return 'unknown';
  return outlet.on && pdu.live ? 'live' : 'dead';
}

function hasVoltage(source: Source, nominal_v: number | null): boolean | null {
  return source.voltage_v === null ? null : source.voltage_v > LEAST_VOLTAGE * (nominal_v ?? 230);
}
