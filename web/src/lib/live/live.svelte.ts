import { SvelteMap } from 'svelte/reactivity';
import { ApiError, session as sessionApi } from '../api';
import type { Alarm, Command, LiveMessage, Pdu, PduEvent, ServerState } from '../model';
import { Connection } from './connection';
import type { Ring, Sample } from './ring';
import { apply, type LiveState, PEAK_MS, ring, SPARKLINE_MS, takeCommand } from './state';

/** `lost` from the first failure until the next snapshot; values shown meanwhile are the last known ones. */
export type LinkState = 'connecting' | 'up' | 'lost';

const FRAME_MS = 16;
const byName = new Intl.Collator(undefined, { numeric: true });

/** What the page knows, kept up to date by the server. */
class Live implements LiveState {
  readonly pdus = new SvelteMap<string, Pdu>();
  readonly alarms = new SvelteMap<number, Alarm>();
  readonly commands = new SvelteMap<string, Command>();
  readonly rings = new Map<string, Ring>();
  events = $state.raw<PduEvent[]>([]);
  server = $state.raw<ServerState>({ database: 'ok', broker: 'ok' });
  offsetMs = $state(0);
  link = $state<LinkState>('connecting');
  /** Whether a snapshot has come since the login. */
  known = $state(false);
  lastEventId: number | null = null;
  #connection: Connection | null = null;
  #inbox: LiveMessage[] = [];
  #waiting = new Map<string, (command: Command) => void>();

  /** PDUs by name, for lists. */
  readonly list = $derived([...this.pdus.values()].sort((a, b) => byName.compare(a.name, b.name)));

  /** Connects and stays connected; `onSessionEnd` is called when the server no longer knows the session. */
  start(onSessionEnd: () => void): void {
    this.stop();
    this.link = 'connecting';
    this.#connection = new Connection({
      address: () => this.#address(),
      up: () => (this.link = 'up'),
      messages: (messages) => this.#take(messages),
      down: async () => {
        this.link = 'lost';
        const over = await sessionIsOver();
        if (over) onSessionEnd();
        return !over;
      },
    });
  }

  stop(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  /** Forgets everything, as at logout. */
  forget(): void {
    this.stop();
    this.pdus.clear();
    this.alarms.clear();
    this.commands.clear();
    this.rings.clear();
    this.events = [];
    this.lastEventId = null;
    this.known = false;
  }

  hurry(): void {
    this.#connection?.hurry();
  }

  takeCommand(command: Command): void {
    takeCommand(this.commands, command);
  }

  /** Resolves to the next message about a command, or to null when none has come after `mostMs`. */
  nextCommand(id: string, mostMs: number): Promise<Command | null> {
    return new Promise<Command | null>((resolve) => {
      const timer = setTimeout(() => resolve(null), mostMs);
      this.#waiting.set(id, (command) => {
        clearTimeout(timer);
        resolve(command);
      });
    }).finally(() => this.#waiting.delete(id));
  }

  power(pduId: string, outlet: number): readonly Sample[] {
    return ring(this.rings, `${pduId}/${outlet}`, SPARKLINE_MS).samples;
  }

  seedPower(pduId: string, outlet: number, samples: readonly Sample[]): void {
    ring(this.rings, `${pduId}/${outlet}`, SPARKLINE_MS).seed(samples);
  }

  peakCurrent(pduId: string): number | null {
    return ring(this.rings, pduId, PEAK_MS).peak;
  }

  /** What comes within a frame of the screen is shown together. */
  #take(messages: readonly LiveMessage[]): void {
    if (this.#inbox.length === 0) setTimeout(() => this.#open(), FRAME_MS);
    this.#inbox.push(...messages);
  }

  #open(): void {
    const messages = this.#inbox;
    this.#inbox = [];
    // After a logout nothing is taken any more.
    if (!this.#connection) return;
    for (const message of messages) {
      apply(this, message, Date.now());
      if (message.type === 'snapshot') this.known = true;
      if (message.type === 'command') this.#waiting.get(message.command.id)?.(message.command);
    }
  }

  #address(): string {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const resume = this.lastEventId === null ? '' : `?after_event=${this.lastEventId}`;
    return `${scheme}://${location.host}/api/v1/live${resume}`;
  }
}

/** A browser does not tell why a WebSocket was refused, so the session is asked for. */
async function sessionIsOver(): Promise<boolean> {
  try {
    await sessionApi.get();
    return false;
  } catch (error) {
    return error instanceof ApiError && error.status === 401;
  }
}

export const live = new Live();
