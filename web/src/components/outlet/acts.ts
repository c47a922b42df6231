/** What a person can do with an outlet or a PDU, with the question that comes first where one is due. */

import { confirm } from '../../lib/confirm.svelte';
import { quantity } from '../../lib/format';
import { i18n } from '../../lib/i18n/i18n.svelte';
import type { Outlet, Pdu, SourceName } from '../../lib/model';
import { orders } from '../../lib/orders.svelte';

const CYCLE_OFF_S = { value: 5, min: 1, max: 3600 };

/** Switches an outlet over; asks where it is critical, and offers the way out where it is held. */
export async function toggle(pdu: Pdu, outlet: Outlet): Promise<void> {
  if (outlet.trip !== null) return resetTrip(pdu, outlet);
  if (outlet.locked) return offerUnlock(pdu, outlet);
  if (outlet.on !== true) return switchOn(pdu, outlet);
  if (!outlet.critical || (await agreesToOff(outlet))) {
    await orders.outlet(pdu, outlet, { do: 'off', confirm: outlet.critical });
  }
}

/** Switches on; where there is no headroom, asks whether what stands in the way shall go off for it. */
async function switchOn(pdu: Pdu, outlet: Outlet): Promise<void> {
  const shortage = await orders.outletThatFits(pdu, outlet);
  if (!shortage) return;
  const t = i18n.t.confirm;
  const names = shortage.candidates
    .filter((one) => shortage.displace.includes(`${one.pdu_id}/${one.outlet}`))
    .map((one) => `${one.name} (${quantity(one.current_a, 'current_a', i18n.locale)})`);
  const answer = await confirm.ask({
    title: t.displaceTitle(outlet.name, shortage.circuit.title, shortage.over),
    text: t.displaceText(names.join(', ')),
    ok: t.displaceOk,
    danger: true,
  });
  if (answer) await orders.outlet(pdu, outlet, { do: 'on', displace: shortage.displace });
}

export async function resetTrip(pdu: Pdu, outlet: Outlet): Promise<void> {
  const t = i18n.t.confirm;
  const answer = await confirm.ask({ title: t.trippedTitle(outlet.name), text: t.trippedText, ok: t.trippedOk });
  if (answer) await orders.outlet(pdu, outlet, { do: 'reset_trip' });
}

export async function cycle(pdu: Pdu, outlet: Outlet): Promise<void> {
  if (outlet.locked) return offerUnlock(pdu, outlet);
  const t = i18n.t.confirm;
  const answer = await confirm.ask({
    title: t.cycleTitle(outlet.name),
    text: outlet.critical ? `${t.cycleText} ${t.offText}` : t.cycleText,
    ok: t.cycleOk,
    danger: outlet.critical,
    number: { label: t.cycleSeconds, ...CYCLE_OFF_S },
  });
  if (answer) await orders.outlet(pdu, outlet, { do: 'cycle', off_s: answer.number, confirm: outlet.critical });
}

export async function setLock(pdu: Pdu, outlet: Outlet): Promise<void> {
  await orders.outlet(pdu, outlet, { do: outlet.locked ? 'unlock' : 'lock' });
}

export async function transfer(pdu: Pdu, source: SourceName): Promise<void> {
  const t = i18n.t.confirm;
  const name = i18n.t.source[source];
  const text = t.transferText(t.transferPause);
  const answer = await confirm.ask({ title: t.transferTitle(name), text, ok: t.transferOk });
  if (answer) await orders.pdu(pdu, { do: 'transfer', source });
}

export async function clearLockout(pdu: Pdu): Promise<void> {
  const t = i18n.t.confirm;
  const answer = await confirm.ask({ title: t.lockoutTitle, text: t.lockoutText, ok: t.lockoutOk });
  if (answer) await orders.pdu(pdu, { do: 'clear_lockout' });
}

async function agreesToOff(outlet: Outlet): Promise<boolean> {
  const t = i18n.t.confirm;
  return (
    (await confirm.ask({ title: t.offTitle(outlet.name), text: t.offText, ok: t.offOk, danger: true })) !== null
  );
}

async function offerUnlock(pdu: Pdu, outlet: Outlet): Promise<void> {
  const t = i18n.t.confirm;
  const answer = await confirm.ask({ title: t.lockedTitle(outlet.name), text: t.lockedText, ok: t.lockedOk });
  if (answer) await orders.outlet(pdu, outlet, { do: 'unlock' });
}
