import { live } from './live/live.svelte';

/** Older readings look stale. */
export const STALE_MS = 5_000;

class Clock {
  /** This machine's clock, once a second. */
  nowMs = $state(Date.now());

  constructor() {
    setInterval(() => (this.nowMs = Date.now()), 1000);
  }

  /** The server's clock, as far as known. */
  get serverMs(): number {
    return this.nowMs + live.offsetMs;
  }

  /** Age in ms of something the server dated; null stays null. Never negative. */
  age(ms: number | null): number | null {
    return ms === null ? null : Math.max(0, this.serverMs - ms);
  }

  isStale(asOfMs: number | null): boolean {
    const age = this.age(asOfMs);
    return age === null || age > STALE_MS || live.link === 'lost';
  }
}

export const clock = new Clock();
