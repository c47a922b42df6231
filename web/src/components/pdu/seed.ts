import { history } from '../../lib/api';
import { live } from '../../lib/live/live.svelte';
import { SPARKLINE_MS } from '../../lib/live/state';

/** Fills the sparklines of a PDU from the history, so that they do not begin empty. */
export async function seedPower(pduId: string): Promise<void> {
  const outlets = live.pdus.get(pduId)?.outlets.map((outlet) => outlet.n) ?? [];
  const until_ms = Date.now() + live.offsetMs;
  const since_ms = until_ms - SPARKLINE_MS;
  // Without history (the database may be away) the lines simply grow from now on.
  const found = await history({ pdu: pduId, outlets, sources: [], since_ms, until_ms, points: 120 }).catch(() => null);
  if (found?.tier !== 'raw') return;
  for (const series of found.series) {
    const samples = series.t_ms.map((t, index) => ({ t, value: series.power_w?.avg[index] ?? null }));
    live.seedPower(pduId, Number(series.channel), samples);
  }
}
