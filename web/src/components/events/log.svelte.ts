import { events as fetchEvents } from '../../lib/api';
import { live } from '../../lib/live/live.svelte';
import type { PduEvent } from '../../lib/model';
import { reasonOf } from '../../lib/reason';
import { type EventWish, merged } from './chains';

const PAGE = 100;

/** The events that fit a filter: pages from the server, and what has come live since. */
export class EventLog {
  #loaded = $state.raw<PduEvent[]>([]);
  #cursor: string | null = null;
  /** Whether older events are there to be loaded. */
  more = $state(false);
  loading = $state(true);
  /** Why the last request failed. */
  error = $state<string | null>(null);
  readonly items = $derived(merged(live.events, this.#loaded));
  #request = 0;

  /** Loads the newest page for a filter; the answer to an earlier one is dropped. */
  async load(wish: EventWish): Promise<void> {
    this.#cursor = null;
    await this.#fetch(wish, []);
  }

  async loadMore(wish: EventWish): Promise<void> {
    await this.#fetch(wish, this.#loaded);
  }

  async #fetch({ pdu, severity, code }: EventWish, before: readonly PduEvent[]): Promise<void> {
    const request = ++this.#request;
    this.loading = true;
    this.error = null;
    try {
      const cursor = this.#cursor === null ? {} : { cursor: this.#cursor };
      const page = await fetchEvents({ pdu, severity, code, limit: PAGE, ...cursor });
      if (request !== this.#request) return;
      this.#loaded = merged(before, page.items);
      this.#cursor = page.next;
      this.more = page.next !== null;
    } catch (error) {
      if (request !== this.#request) return;
      this.error = reasonOf(error);
    } finally {
      if (request === this.#request) this.loading = false;
    }
  }
}
