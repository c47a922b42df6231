import { demo } from '../../lib/api';
import { i18n } from '../../lib/i18n/i18n.svelte';
import { live } from '../../lib/live/live.svelte';
import type { Disturbance } from '../../lib/model';
import { reasonOf } from '../../lib/reason';
import { toasts } from '../../lib/toasts.svelte';

/** The panel of the demo: what can be broken, and what is broken now. */
class Breaking {
  open = $state(false);
  /** Why the list could not be read, for a person. */
  trouble = $state<string | null>(null);
  items = $state.raw<Disturbance[]>([]);
  #wanted = $state<string | null>(null);
  #active = $state.raw<Record<string, Record<string, number | null>>>({});
  #opener: HTMLElement | null = null;

  /** The PDU that is being broken: the one chosen, else the first. */
  readonly pduId = $derived(this.#wanted !== null && live.pdus.has(this.#wanted) ? this.#wanted : live.list[0]?.id);

  show(pduId: string | null): void {
    this.#opener = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    if (pduId !== null) this.#wanted = pduId;
    this.open = true;
  }

  close(): void {
    this.open = false;
    this.#opener?.focus();
  }

  choosePdu(id: string): void {
    this.#wanted = id;
  }

  /** The outlet of a disturbance under way (null where it has none), undefined when it is not under way. */
  active(id: string): number | null | undefined {
    return this.pduId === undefined ? undefined : this.#active[this.pduId]?.[id];
  }

  async refresh(): Promise<void> {
    try {
      const { items, active } = await demo.list();
      this.items = items;
      this.#active = active;
      this.trouble = null;
    } catch (error) {
      this.trouble = reasonOf(error);
    }
  }

  start(id: string, outlet: number | null): Promise<void> {
    return this.#act((pdu) => demo.start(pdu, id, outlet));
  }

  stop(id: string): Promise<void> {
    return this.#act((pdu) => demo.stop(pdu, id));
  }

  async #act(request: (pdu: string) => Promise<void>): Promise<void> {
    if (this.pduId === undefined) return;
    try {
      await request(this.pduId);
      await this.refresh();
    } catch (error) {
      toasts.show('refused', i18n.t.failed(reasonOf(error)));
    }
  }
}

export const breaking = new Breaking();
