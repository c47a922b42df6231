import type { LiveMessage } from '../model';
import { delayMs } from './backoff';

/** The server sends a ping every 5 s; after two missing ones the connection counts as dead. */
const SILENCE_MS = 12_000;

export interface Listener {
  /** Where to connect, asked anew at every attempt. */
  address(): string;
  /** What has changed, in order. */
  messages(messages: readonly LiveMessage[]): void;
  /** The first message has come. */
  up(): void;
  /** The connection has ended or could not be made. Resolve to false to give up (the session has ended). */
  down(): Promise<boolean>;
}

/** Keeps one WebSocket to the server open, with growing pauses between attempts, until `close`. */
export class Connection {
  #socket: WebSocket | null = null;
  /** Failures in a row, minus one while the connection is up. */
  #attempt = 0;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(private readonly listener: Listener) {
    this.#open();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#drop();
  }

  /** Tries at once instead of waiting, as when the machine wakes up or the network is back. */
  hurry(): void {
    if (this.#closed || this.#socket) return;
    clearTimeout(this.#retry);
    this.#attempt = 0;
    this.#open();
  }

  #open(): void {
    const socket = new WebSocket(this.listener.address());
    this.#socket = socket;
    this.#watch();
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      this.#watch();
      if (this.#attempt >= 0) this.listener.up();
      this.#attempt = -1;
      this.listener.messages(JSON.parse(data) as LiveMessage[]);
    };
    socket.onclose = () => void this.#lost();
  }

  #watch(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => void this.#lost(), SILENCE_MS);
  }

  async #lost(): Promise<void> {
    this.#drop();
    this.#attempt += 1;
    const goOn = await this.listener.down();
    if (this.#closed || !goOn || this.#socket) return;
    this.#retry = setTimeout(() => this.#open(), delayMs(this.#attempt, Math.random()));
  }

  #drop(): void {
    clearTimeout(this.#silence);
    if (!this.#socket) return;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }
}
