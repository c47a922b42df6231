import { analytics } from '../../lib/api';
import { reasonOf } from '../../lib/reason';
import type { EnergyReport, SupplyReport, VoltageReport } from './model';
import type { Days } from './period';

/** The three reports that were asked for last; answers to an earlier question are dropped. */
export class AnalyticsLoader {
  energy = $state.raw<EnergyReport | null>(null);
  voltage = $state.raw<VoltageReport | null>(null);
  supply = $state.raw<SupplyReport | null>(null);
  /** Why the last request failed. */
  error = $state<string | null>(null);
  loading = $state(false);
  #abort: AbortController | null = null;

  async load(pdu: string, days: Days): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.loading = true;
    const query = { pdu, since: days.since, until: days.until };
    try {
      const [energy, voltage, supply] = await Promise.all([
        analytics<EnergyReport>('energy', query, abort.signal),
        analytics<VoltageReport>('voltage', query, abort.signal),
        analytics<SupplyReport>('supply', query, abort.signal),
      ]);
      if (abort.signal.aborted) return;
      Object.assign(this, { energy, voltage, supply, error: null, loading: false });
    } catch (error) {
      if (abort.signal.aborted) return;
      abort.abort();
      this.error = reasonOf(error);
      this.loading = false;
    }
  }

  stop(): void {
    this.#abort?.abort();
  }
}
