const FIRST_MS = 500;
const LONGEST_MS = 10_000;

/**
 * The wait before attempt `attempt` (from 0), in ms: doubling from 0.5 s to 10 s, of which a random half.
 * The jitter keeps many pages from coming back in the same instant after a restart of the server.
 */
export function delayMs(attempt: number, random: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return full / 2 + (full / 2) * random;
}
