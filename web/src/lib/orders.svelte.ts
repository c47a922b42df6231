import { SvelteMap } from 'svelte/reactivity';
import * as api from './api';
import { i18n } from './i18n/i18n.svelte';
import { live } from './live/live.svelte';
import { isFinal } from './live/state';
import type { Command, Outlet, Pdu, Shortage } from './model';
import { codeText, reasonOf } from './reason';
import { toasts } from './toasts.svelte';

/** If the live connection brings no answer by then, the command is asked for. */
const ASK_AFTER_MS = 6_000;

/** Commands given from this page: each ends in one line that says how it went. */
class Orders {
  /** What is under way, by request; the value is the target: `PDU/outlet` or `PDU`. */
  #underWay = new SvelteMap<symbol, string>();

  /** Whether something asked for here is still without an end. */
  busy(pdu: Pdu, outlet?: Outlet): boolean {
    const key = target(pdu, outlet);
    return [...this.#underWay.values()].includes(key);
  }

  async outlet(pdu: Pdu, outlet: Outlet, order: api.OutletOrder): Promise<void> {
    const what = i18n.t.result.on(outlet.name, orderName(order.do));
    await this.#follow(target(pdu, outlet), what, () => api.orderOutlet(pdu.id, outlet.n, order));
  }

  /** Switches an outlet on. Returns what it lacks, if that can be made by switching others off; says all else by itself. */
  async outletThatFits(pdu: Pdu, outlet: Outlet): Promise<Shortage | null> {
    const what = i18n.t.result.on(outlet.name, orderName('on'));
    let shortage: Shortage | null = null;
    await this.#follow(
      target(pdu, outlet),
      what,
      () => api.orderOutlet(pdu.id, outlet.n, { do: 'on' }),
      (error) => (shortage = shortageOf(error)) !== null,
    );
    return shortage;
  }

  async pdu(pdu: Pdu, order: api.PduOrder): Promise<void> {
    const what = i18n.t.result.on(pdu.name, orderName(order.do));
    await this.#follow(target(pdu), what, () => api.orderPdu(pdu.id, order));
  }

  async #follow(
    key: string,
    what: string,
    send: () => Promise<Command>,
    settles: (error: unknown) => boolean = () => false,
  ): Promise<void> {
    const token = Symbol(key);
    this.#underWay.set(token, key);
    try {
      report(await settled(await send()), what);
    } catch (error) {
      if (!settles(error)) toasts.show('refused', i18n.t.result.failed(what, reasonOf(error)));
    } finally {
      this.#underWay.delete(token);
    }
  }
}

/** What a refused order lacks, if there are outlets that would make enough room. */
function shortageOf(error: unknown): Shortage | null {
  if (!(error instanceof api.ApiError) || error.code !== 'no_headroom' || error.body['enough'] !== true) return null;
  return error.body as unknown as Shortage;
}

/** Resolves when the command has ended, as told by the live connection or else by asking. */
async function settled(command: Command): Promise<Command> {
  live.takeCommand(command);
  let latest = live.commands.get(command.id) ?? command;
  while (!isFinal(latest.status)) {
    const told = (await live.nextCommand(command.id, ASK_AFTER_MS)) ?? (await api.command(command.id));
    live.takeCommand(told);
    // What is known may be newer than what was told: messages of one frame are taken together.
    latest = live.commands.get(command.id) ?? told;
  }
  return latest;
}

function report({ status, code, message }: Command, what: string): void {
  const say = i18n.t.result;
  if (status === 'confirmed') toasts.show('done', say.confirmed(what));
  else if (status === 'expired') toasts.show('refused', say.expired(what));
  else if (status === 'unknown') toasts.show('refused', say.unknown(what));
  else toasts.show('refused', say.rejected(what, codeText(code, message)));
}

function orderName(name: string): string {
  return i18n.t.orders[name] ?? name;
}

function target(pdu: Pdu, outlet?: Outlet): string {
  return outlet ? `${pdu.id}/${outlet.n}` : pdu.id;
}

export const orders = new Orders();
