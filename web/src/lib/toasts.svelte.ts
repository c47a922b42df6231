export type ToastTone = 'done' | 'refused';

export interface Toast {
  id: number;
  tone: ToastTone;
  text: string;
}

/** What went well leaves by itself; what did not waits long enough to be read. */
const SHOWN_MS: Record<ToastTone, number> = { done: 4_000, refused: 12_000 };
const MOST = 4;

class Toasts {
  items = $state.raw<Toast[]>([]);
  #next = 1;

  show(tone: ToastTone, text: string): void {
    const toast = { id: this.#next++, tone, text };
    this.items = [...this.items, toast].slice(-MOST);
    setTimeout(() => this.close(toast.id), SHOWN_MS[tone]);
  }

  close(id: number): void {
    this.items = this.items.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
