import type { PduEvent } from '../../lib/model';

/** An event with what followed from it, in the order in which it happened. */
export interface Chain {
  event: PduEvent;
  effects: Chain[];
}

/**
 * Groups events (in any order) into chains of cause and effect, the chain with the newest root first.
 * An event whose cause is not among them is a root itself.
 */
export function chains(events: readonly PduEvent[]): Chain[] {
  const nodes = new Map(events.map((event) => [event.id, { event, effects: [] as Chain[] }]));
  const roots: Chain[] = [];
  for (const node of [...nodes.values()].sort((a, b) => a.event.id - b.event.id)) {
    const cause = node.event.because === null ? undefined : nodes.get(node.event.because);
    // A cause is older than its effect; anything else would be a circle.
    if (cause && cause.event.id < node.event.id) cause.effects.push(node);
    else roots.push(node);
  }
  return roots.sort((a, b) => b.event.ts_ms - a.event.ts_ms || b.event.id - a.event.id);
}

/** Both lists together without doubles, newest first. */
export function merged(one: readonly PduEvent[], other: readonly PduEvent[]): PduEvent[] {
  const all = new Map([...one, ...other].map((event) => [event.id, event]));
  return [...all.values()].sort((a, b) => b.id - a.id);
}

export interface EventWish {
  pdu: string;
  severity: string;
  code: string;
  text: string;
}

/** Whether an event fits a filter; an empty field fits everything. */
export function fits(event: PduEvent, wish: EventWish, title: string, where: string): boolean {
  const text = `${title} ${event.code} ${event.text} ${where}`.toLocaleLowerCase();
  return (
    (wish.pdu === '' || event.pdu_id === wish.pdu) &&
    (wish.severity === '' || event.severity === wish.severity) &&
    (wish.code === '' || event.code === wish.code) &&
    text.includes(wish.text.trim().toLocaleLowerCase())
  );
}
