/** The settings of one PDU with a person's changes, until they are applied or somebody else was faster. */

import { SvelteMap } from 'svelte/reactivity';
import * as api from '../../lib/api';
import { reasonOf } from '../../lib/reason';
import type { Setting, Settings, Value } from '../../lib/model';

/** What a change is of: the PDU (outlet 0) or one outlet. */
export interface Place {
  outlet: number;
  name: string;
}

/** A setting that somebody else has changed while it was being changed here. */
export interface Conflict extends Place {
  mine: Value;
  theirs: Value;
}

export class Draft {
  settable = $state.raw<Setting[]>([]);
  current = $state.raw<Settings | null>(null);
  error = $state('');
  busy = $state(false);
  conflicts = $state.raw<Conflict[]>([]);
  /** Wire values by `outlet name`; null is something that cannot be set. */
  readonly changes = new SvelteMap<string, Value | null>();
  readonly #pdu: string;

  constructor(pdu: string) {
    this.#pdu = pdu;
  }

  get changed(): boolean {
    return this.changes.size > 0;
  }

  get valid(): boolean {
    return ![...this.changes.values()].includes(null);
  }

  setting(name: string): Setting | undefined {
    return this.settable.find((one) => one.name === name);
  }

  /** What is desired now, as stored; the default where nothing is. */
  stored(outlet: number, name: string): Value {
    const desired = this.current?.desired;
    const from = outlet === 0 ? desired?.pdu : desired?.out.find(({ n }) => n === outlet);
    return from?.[name] ?? this.setting(name)?.default ?? 0;
  }

  /** What the person sees: the change, or else what is stored. */
  value(outlet: number, name: string): Value | null {
    const key = `${outlet} ${name}`;
    return this.changes.has(key) ? this.changes.get(key)! : this.stored(outlet, name);
  }

  set(outlet: number, name: string, value: Value | null): void {
    const key = `${outlet} ${name}`;
    if (value === this.stored(outlet, name)) this.changes.delete(key);
    else this.changes.set(key, value);
  }

  discard(): void {
    this.changes.clear();
    this.conflicts = [];
  }

  async load(): Promise<void> {
    await this.#guarded(async () => {
      const [settable, current] = await Promise.all([api.settable(), api.settings(this.#pdu)]);
      this.settable = settable.items;
      this.current = current;
    });
  }

  /** Returns whether the changes are desired now; if somebody else was faster, `conflicts` tells where. */
  async apply(): Promise<boolean> {
    const { current } = this;
    if (!current || !this.changed || !this.valid) return false;
    this.conflicts = [];
    return this.#guarded(async () => {
      try {
        this.current = await api.changeSettings(this.#pdu, current.desired.version, ...this.wanted());
        this.changes.clear();
      } catch (error) {
        if (!(error instanceof api.ApiError) || error.code !== 'conflict') throw error;
        await this.#meet(current);
      }
    });
  }

  /** Asks again what the device runs, while it does not run what is desired. */
  async refresh(): Promise<void> {
    if (this.busy || this.changed) return;
    this.current = await api.settings(this.#pdu).catch(() => this.current);
  }

  /** The changes as the API takes them: those of the PDU, and those of outlets. */
  wanted(): [Record<string, Value>, ({ n: number } & Record<string, Value>)[]] {
    const pdu: Record<string, Value> = {};
    const out = new Map<number, { n: number } & Record<string, Value>>();
    for (const [key, value] of this.changes) {
      const [outlet, name] = placeOf(key);
      if (value === null) continue;
      if (outlet === 0) pdu[name] = value;
      else out.set(outlet, { ...(out.get(outlet) ?? { n: outlet }), [name]: value } as { n: number } & Record<string, Value>);
    }
    return [pdu, [...out.values()]];
  }

  /** Takes what the other has set, keeps what was being changed here, and names what both have changed. */
  async #meet(before: Settings): Promise<void> {
    const old = new Map([...this.changes.keys()].map((key) => [key, this.stored(...placeOf(key))]));
    const mine = [...this.changes];
    this.current = await api.settings(this.#pdu);
    this.conflicts = mine.flatMap(([key, value]) => {
      const [outlet, name] = placeOf(key);
      const theirs = this.stored(outlet, name);
      return theirs !== old.get(key) && theirs !== value && value !== null ? [{ outlet, name, mine: value, theirs }] : [];
    });
    for (const [key, value] of mine) this.set(...placeOf(key), value);
    if (this.current.desired.version === before.desired.version) throw new Error('conflict');
  }

  async #guarded(work: () => Promise<void>): Promise<boolean> {
    this.busy = true;
    this.error = '';
    try {
      await work();
      return !this.changed;
    } catch (error) {
      this.error = reasonOf(error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}

function placeOf(key: string): [number, string] {
  const [outlet = '0', name = ''] = key.split(' ', 2);
  return [Number(outlet), name];
}
