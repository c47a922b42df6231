import type { PduEvent, Severity } from '../../lib/model';
import type { Window } from './window';

/** Events that fall on nearly the same place; `part` is that place, 0 to 1 of the window. */
export interface Mark {
  part: number;
  severity: Severity;
  events: PduEvent[];
}

const WEIGHT: Record<Severity, number> = { info: 0, warning: 1, critical: 2 };

/** The marks of the events inside a window, none nearer to another than `apart` (a part of the width). */
export function strip(events: readonly PduEvent[], { since, until }: Window, apart: number): Mark[] {
  const marks: Mark[] = [];
  const inside = events.filter(({ ts_ms }) => ts_ms >= since && ts_ms <= until);
  for (const event of inside.toSorted((a, b) => a.ts_ms - b.ts_ms)) {
    const part = (event.ts_ms - since) / (until - since);
    const last = marks.at(-1);
    if (last && part - last.part < apart) {
      last.events.push(event);
      if (WEIGHT[event.severity] > WEIGHT[last.severity]) last.severity = event.severity;
    } else {
      marks.push({ part, severity: event.severity, events: [event] });
    }
  }
  return marks;
}
