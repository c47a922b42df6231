import { createSubscriber } from 'svelte/reactivity';

/** Distance of the dots, and how fast they run, in CSS pixels (a second). */
export const DOT_SPACING = 14;
const SPEED = 15;
/**
 * A CSS animation repaints at the screen's rate, which cost half of the main thread where nothing draws in hardware.
 * Dots this slow look the same at 12 steps a second.
 */
const STEP_MS = 80;

class Pulse {
  #follow = createSubscriber((update) => {
    const timer = setInterval(update, STEP_MS);
    return () => clearInterval(timer);
  });

  /** Offset of all dots now; whoever reads it in an effect follows it. The clock runs only while somebody does. */
  get offset(): number {
    this.#follow();
    return -(((performance.now() / 1000) * SPEED) % DOT_SPACING);
  }
}

export const pulse = new Pulse();
