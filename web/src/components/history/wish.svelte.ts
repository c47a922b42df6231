import { live } from '../../lib/live/live.svelte';
import { router } from '../../lib/router.svelte';
import type { Wish } from './loader.svelte';
import { fitted, isPreset, ofPreset, panned, type Preset, type Window, zoomed, zoomedAtEnd } from './window';

/** More lines in one chart are not told apart; more can be chosen. */
const FIRST_OUTLETS = 8;
const FIRST_PRESET: Preset = 'hour';

/** What the person wants to see, kept in the address so that it can be shared and survives a reload. */
export class HistoryWish {
  #pdu = $state('');
  #outlets = $state.raw<number[] | null>(null);
  withVoltage = $state(false);
  preset = $state<Preset | null>(FIRST_PRESET);
  window = $state.raw<Window>({ since: 0, until: 1 });
  /** What the chart shows while it is being moved. */
  shown = $state.raw<Window>({ since: 0, until: 1 });
  #lastPreset: Preset = FIRST_PRESET;

  constructor(query: URLSearchParams) {
    this.take(query);
  }

  /** The PDU asked for; the first where there is none of that name. */
  readonly pdu = $derived(live.pdus.has(this.#pdu) || !live.known ? this.#pdu : (live.list[0]?.id ?? ''));
  readonly ready = $derived(live.pdus.has(this.pdu));
  readonly outlets = $derived.by(() => {
    const known = live.pdus.get(this.pdu)?.outlets.map((outlet) => outlet.n) ?? [];
    return this.#outlets === null ? known.slice(0, FIRST_OUTLETS) : known.filter((n) => this.#outlets?.includes(n));
  });
  /** The same numbers keep the same text, so that live readings do not ask anew. */
  readonly #outletsText = $derived(this.outlets.join(','));
  readonly asked = $derived<Wish>({
    pdu: this.pdu,
    outlets: this.#outletsText.split(',').filter(Boolean).map(Number),
    withVoltage: this.withVoltage,
    window: this.window,
  });

  /** Takes what an address says. */
  take(query: URLSearchParams): void {
    this.#pdu = query.get('pdu') ?? '';
    const outlets = query.get('outlets');
    this.#outlets = outlets === null ? null : outlets.split(',').map(Number).filter(Number.isInteger);
    this.withVoltage = query.get('voltage') === '1';
    const since = Number(query.get('since'));
    const until = Number(query.get('until'));
    const range = query.get('range');
    if (until > since && since > 0) this.show({ since, until });
    else this.choosePreset(isPreset(range) ? range : FIRST_PRESET);
  }

  choosePdu(id: string): void {
    this.#pdu = id;
    this.#outlets = null;
    this.#write();
  }

  toggle(n: number): void {
    const { outlets } = this;
    this.#outlets = outlets.includes(n) ? outlets.filter((one) => one !== n) : [...outlets, n].sort((a, b) => a - b);
    this.#write();
  }

  choosePreset(preset: Preset): void {
    this.preset = preset;
    this.#lastPreset = preset;
    this.#set(ofPreset(preset, now()));
  }

  /** Moves a range that ends now on to the new now. */
  follow(): void {
    if (this.preset) this.#set(ofPreset(this.preset, now()));
  }

  reset(): void {
    this.choosePreset(this.#lastPreset);
  }

  show(window: Window): void {
    this.preset = null;
    this.#set(fitted(window, now()));
  }

  zoom(factor: number): void {
    const zoom = this.preset ? zoomedAtEnd : zoomed;
    this.show(zoom(this.window, factor, now()));
  }

  pan(part: number): void {
    this.show(panned(this.window, part, now()));
  }

  #set(window: Window): void {
    this.window = window;
    this.shown = window;
    this.#write();
  }

  #write(): void {
    const query = new URLSearchParams();
    if (this.#pdu) query.set('pdu', this.#pdu);
    if (this.#outlets !== null) query.set('outlets', this.#outlets.join(','));
    if (this.withVoltage) query.set('voltage', '1');
    if (this.preset) query.set('range', this.preset);
    else {
      query.set('since', String(this.window.since));
      query.set('until', String(this.window.until));
    }
    router.replaceQuery(query);
  }
}

/** The server's clock: the history is written in its time. */
function now(): number {
  return Date.now() + live.offsetMs;
}
