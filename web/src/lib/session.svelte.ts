import { ApiError, session as api } from './api';
import { live } from './live/live.svelte';
import type { Session } from './model';

/** `asking` until the server has answered for the first time. */
type State = 'asking' | 'in' | 'out';

class SessionStore {
  state = $state<State>('asking');
  current = $state.raw<Session | null>(null);
  /** True when a session has ended by itself, so that the login can say so. */
  ended = $state(false);

  get demo(): boolean {
    return this.current?.demo === true;
  }

  /** Finds out whether there is a session; asks again while the server cannot be reached. */
  async begin(): Promise<void> {
    try {
      this.#enter(await api.get());
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.state = 'out';
      else setTimeout(() => void this.begin(), 2000);
    }
  }

  /** Logs in; rejects with an `ApiError` that says why not. */
  async open(username: string, password: string): Promise<void> {
    await api.open(username, password);
    this.#enter(await api.get());
  }

  async close(): Promise<void> {
    live.forget();
    this.current = null;
    this.ended = false;
    this.state = 'out';
    await api.close();
  }

  #enter(session: Session): void {
    this.current = session;
    this.ended = false;
    this.state = 'in';
    live.start(() => this.#lose());
  }

  #lose(): void {
    live.stop();
    this.current = null;
    this.ended = true;
    this.state = 'out';
  }
}

export const session = new SessionStore();
