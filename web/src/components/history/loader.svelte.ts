import { history as fetchHistory } from '../../lib/api';
import type { History, SourceName } from '../../lib/model';
import { reasonOf } from '../../lib/reason';
import { span, type Window } from './window';

const POINTS = 600;

export interface Wish {
  pdu: string;
  outlets: number[];
  withVoltage: boolean;
  window: Window;
}

/** The history that was asked for last; an answer to an earlier question is dropped. */
export class HistoryLoader {
  current = $state.raw<History | null>(null);
  /** The longest of the latest answers about the same things, as context around a shorter one. */
  context = $state.raw<History | null>(null);
  /** Why the last request failed. */
  error = $state<string | null>(null);
  loading = $state(false);
  #abort: AbortController | null = null;
  #about = '';

  async load({ pdu, outlets, withVoltage, window }: Wish): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.loading = true;
    const sources: SourceName[] = withVoltage ? ['main', 'backup'] : [];
    try {
      const query = { pdu, outlets, sources, since_ms: window.since, until_ms: window.until, points: POINTS };
      const found = await fetchHistory(query, abort.signal);
      if (abort.signal.aborted) return;
      this.#take(found, `${pdu} ${outlets.join()} ${withVoltage}`);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.error = reasonOf(error);
      this.loading = false;
    }
  }

  stop(): void {
    this.#abort?.abort();
  }

  #take(found: History, about: string): void {
    const length = (history: History) => span({ since: history.since_ms, until: history.until_ms });
    if (about !== this.#about || this.context === null || length(found) >= length(this.context)) this.context = found;
    this.#about = about;
    this.current = found;
    this.error = null;
    this.loading = false;
  }
}
