/** One value at one time; `value` is null where the device did not know it. */
export interface Sample {
  t: number;
  value: number | null;
}

/** The latest samples of one quantity within a window, oldest first. */
export class Ring {
  #samples: Sample[] = [];

  constructor(readonly windowMs: number) {}

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Adds a sample; one that is not newer than the last is ignored (the same reading comes more than once). */
  push(t: number, value: number | null): void {
    const last = this.#samples.at(-1);
    if (last && t <= last.t) return;
    this.#samples.push({ t, value });
    this.#dropBefore(t - this.windowMs);
  }

  /** Puts older samples in front, as loaded from the history. */
  seed(samples: readonly Sample[]): void {
    const first = this.#samples[0]?.t ?? Infinity;
    this.#samples = [...samples.filter((sample) => sample.t < first), ...this.#samples];
    this.#dropBefore((this.#samples.at(-1)?.t ?? 0) - this.windowMs);
  }

  /** The highest known value in the window, null when there is none. */
  get peak(): number | null {
    return this.#samples.reduce<number | null>(
      (peak, { value }) => (value !== null && (peak === null || value > peak) ? value : peak),
      null,
    );
  }

  #dropBefore(t: number): void {
    let count = 0;
    while (count < this.#samples.length && (this.#samples[count]?.t ?? t) < t) count += 1;
    if (count > 0) this.#samples.splice(0, count);
  }
}
