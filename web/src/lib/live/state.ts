/** How messages of the server change what the page knows. Maps are passed in, so that tests use plain ones. */

import type { Alarm, Command, CommandStatus, LiveMessage, Pdu, PduEvent, Readings, ServerState } from '../model';
import { Ring } from './ring';

export const SPARKLINE_MS = 120_000;
export const PEAK_MS = 600_000;
const MOST_EVENTS = 200;
const MOST_COMMANDS = 50;

export interface LiveState {
  readonly pdus: Map<string, Pdu>;
  /** Open alarms. */
  readonly alarms: Map<number, Alarm>;
  /** The latest commands of everybody. */
  readonly commands: Map<string, Command>;
  /** Latest readings by `PDU/outlet` (W) and `PDU` (A). */
  readonly rings: Map<string, Ring>;
  /** What came while the page was open, newest first. */
  events: PduEvent[];
  lastEventId: number | null;
  server: ServerState;
  /** Server clock minus this machine's, in ms. */
  offsetMs: number;
}

/** Takes one message into `state`; `nowMs` is this machine's clock. */
export function apply(state: LiveState, message: LiveMessage, nowMs: number): void {
  switch (message.type) {
    case 'snapshot':
      state.offsetMs = message.server_ms - nowMs;
      state.server = message.server;
      replace(state.pdus, message.pdus, (pdu) => pdu.id);
      replace(state.alarms, message.alarms.filter(isOpen), (alarm) => alarm.id);
      message.pdus.forEach((pdu) => record(state, pdu));
      resume(state, message.last_event_id);
      return;
    case 'pdu':
      takePdu(state, message.pdu);
      return;
    case 'readings': {
      const known = state.pdus.get(message.readings.id);
      if (known) takePdu(state, withReadings(known, message.readings));
      return;
    }
    case 'event':
      takeEvent(state, message.event);
      return;
    case 'alarm':
      if (isOpen(message.alarm)) state.alarms.set(message.alarm.id, message.alarm);
      else state.alarms.delete(message.alarm.id);
      return;
    case 'command':
      takeCommand(state.commands, message.command);
      return;
    case 'server':
      state.server = message.server;
      return;
    case 'ping':
      state.offsetMs = message.server_ms - nowMs;
      return;
    case 'dropped':
      return; // a new snapshot follows
  }
}

/** Keeps the newest state of a command; one that has ended does not go back to waiting. */
export function takeCommand(commands: Map<string, Command>, command: Command): void {
  const known = commands.get(command.id);
  if (known && isFinal(known.status) && !isFinal(command.status)) return;
  commands.set(command.id, command);
  for (const id of commands.keys()) {
    if (commands.size <= MOST_COMMANDS) return;
    commands.delete(id);
  }
}

export function isFinal(status: CommandStatus): boolean {
  return status !== 'pending' && status !== 'accepted';
}

export function isOpen(alarm: Alarm): boolean {
  return alarm.cleared_ms === null;
}

/** The ring of one quantity, made when it is first asked for. */
export function ring(rings: Map<string, Ring>, key: string, windowMs: number): Ring {
  const known = rings.get(key);
  if (known) return known;
  const made = new Ring(windowMs);
  rings.set(key, made);
  return made;
}

/** Missed events follow a snapshot, so the last one known stays; unless the server has begun to count anew. */
function resume(state: LiveState, lastEventId: number | null): void {
  if (state.lastEventId !== null && state.lastEventId <= (lastEventId ?? 0)) return;
  state.events = [];
  state.lastEventId = lastEventId;
}

function takePdu(state: LiveState, pdu: Pdu): void {
  state.pdus.set(pdu.id, pdu);
  record(state, pdu);
}

/** The PDU with newer readings; an outlet or source that they do not name stays as it was. */
export function withReadings(pdu: Pdu, readings: Readings): Pdu {
  const sources = new Map(readings.sources.map((one) => [one.source, one]));
  const outlets = new Map(readings.outlets.map((one) => [one.n, one]));
  return {
    ...pdu,
    ...readings,
    sources: pdu.sources.map((source) => ({ ...source, ...sources.get(source.source) })),
    outlets: pdu.outlets.map((outlet) => ({ ...outlet, ...outlets.get(outlet.n) })),
  };
}

function record(state: LiveState, pdu: Pdu): void {
  if (pdu.as_of_ms === null) return;
  ring(state.rings, pdu.id, PEAK_MS).push(pdu.as_of_ms, pdu.current_a);
  for (const outlet of pdu.outlets) {
    ring(state.rings, `${pdu.id}/${outlet.n}`, SPARKLINE_MS).push(pdu.as_of_ms, outlet.power_w);
  }
}

function takeEvent(state: LiveState, event: PduEvent): void {
  state.lastEventId = Math.max(state.lastEventId ?? 0, event.id);
  if (state.events.some((known) => known.id === event.id)) return;
  state.events = [event, ...state.events].slice(0, MOST_EVENTS);
}

function replace<K, V>(map: Map<K, V>, values: readonly V[], key: (value: V) => K): void {
  const wanted = new Set(values.map(key));
  for (const known of [...map.keys()]) if (!wanted.has(known)) map.delete(known);
  for (const value of values) map.set(key(value), value);
}
