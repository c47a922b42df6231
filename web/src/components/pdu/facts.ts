import type { Pdu, Source } from '../../lib/model';

/** The readings of the source that feeds the outlets now. */
export function activeSource(pdu: Pdu): Source | undefined {
  return pdu.sources.find((source) => source.source === pdu.active);
}
