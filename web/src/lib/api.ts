/** Requests to the control center. Every function rejects with an `ApiError` that can be shown to a person. */

import type {
  Alarm,
  Command,
  Disturbances,
  DryRun,
  History,
  PduEvent,
  Session,
  Setting,
  Settings,
  SourceName,
  Value,
} from './model';

const BASE = '/api/v1';
const TIMEOUT_MS = 15_000;
/** A year of many outlets takes the server a while. */
const LONG_TIMEOUT_MS = 90_000;

/** A request was refused (`status` from the server) or could not be made (`status` 0). */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly retryAfterS: number | null = null,
    /** What else the server said. */
    readonly body: Record<string, unknown> = {},
  ) {
    super(detail);
  }
}

export interface EventQuery {
  pdu?: string;
  severity?: string;
  code?: string;
  since_ms?: number;
  until_ms?: number;
  cursor?: string;
  limit?: number;
}

export interface HistoryQuery {
  pdu: string;
  outlets: readonly number[];
  sources: readonly SourceName[];
  since_ms: number;
  until_ms: number;
  points: number;
}

export const session = {
  get: (): Promise<Session> => request('GET', '/session'),
  open: (username: string, password: string): Promise<Session> =>
    request('POST', '/session', { body: { username, password } }),
  close: (): Promise<void> => request('DELETE', '/session'),
};

export type OutletOrder =
  | { do: 'off' | 'reset_trip' | 'lock' | 'unlock'; confirm?: boolean }
  | { do: 'on'; displace?: string[] }
  | { do: 'cycle'; off_s: number; confirm?: boolean };
export type PduOrder = { do: 'transfer'; source: SourceName } | { do: 'clear_lockout' };

export function orderOutlet(pdu: string, n: number, order: OutletOrder): Promise<Command> {
  return request('POST', `/pdus/${encodeURIComponent(pdu)}/outlets/${n}/commands`, { body: order, once: true });
}

export function orderPdu(pdu: string, order: PduOrder): Promise<Command> {
  return request('POST', `/pdus/${encodeURIComponent(pdu)}/commands`, { body: order, once: true });
}

export function command(id: string): Promise<Command> {
  return request('GET', `/commands/${encodeURIComponent(id)}`);
}

export function events(query: EventQuery): Promise<{ items: PduEvent[]; next: string | null }> {
  return request('GET', `/events${search({ ...query })}`);
}

export function acknowledge(alarm: number, note: string): Promise<Alarm> {
  return request('POST', `/alarms/${alarm}/acknowledge`, { body: { note } });
}

export function history(query: HistoryQuery, signal?: AbortSignal): Promise<History> {
  const { outlets, sources, ...rest } = query;
  const path = `/history${search({ ...rest, outlets: outlets.join(','), sources: sources.join(',') })}`;
  return request('GET', path, signal ? { signal } : {});
}

/** What can be set at all. */
export function settable(): Promise<{ items: Setting[] }> {
  return request('GET', '/settings');
}

export function settings(pdu: string): Promise<Settings> {
  return request('GET', `/pdus/${encodeURIComponent(pdu)}/settings`);
}

/** Refused with code `conflict` unless `base` is the version that is desired now. */
export function changeSettings(
  pdu: string,
  base: number,
  changes: Record<string, Value>,
  out: Record<string, Value>[],
): Promise<Settings> {
  const body = { base_version: base, pdu: changes, out };
  return request('PUT', `/pdus/${encodeURIComponent(pdu)}/settings`, { body });
}

/** What a change of settings would have done over recorded minutes. */
export function dryRun(
  pdu: string,
  asked: { since_ms: number; until_ms: number; pdu: Record<string, Value>; out: Record<string, Value>[] },
): Promise<DryRun> {
  return request('POST', `/pdus/${encodeURIComponent(pdu)}/dry-run`, { body: asked, timeoutMs: LONG_TIMEOUT_MS });
}

/** A report of analytics; `since` and `until` are days of the site. */
export function analytics<T>(
  report: 'energy' | 'voltage' | 'supply',
  query: { pdu: string; since: string; until: string },
  signal: AbortSignal,
): Promise<T> {
  return request('GET', `/analytics/${report}${search(query)}`, { signal, timeoutMs: LONG_TIMEOUT_MS });
}

export const demo = {
  list: (): Promise<Disturbances> => request('GET', '/demo/disturbances'),
  start: (pdu: string, id: string, outlet: number | null): Promise<void> =>
    request('POST', disturbance(pdu, id), { body: outlet === null ? {} : { outlet } }),
  stop: (pdu: string, id: string): Promise<void> => request('DELETE', disturbance(pdu, id)),
};

function disturbance(pdu: string, id: string): string {
  return `/demo/pdus/${encodeURIComponent(pdu)}/disturbances/${encodeURIComponent(id)}`;
}

/** The query string with what is set; an empty value is left out. */
export function search(values: Record<string, string | number | undefined>): string {
  const set = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(set.map(([key, value]) => [key, String(value)])).toString();
  return text && `?${text}`;
}

interface Options {
  body?: unknown;
  once?: boolean;
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** Sends a request and returns what is answered; rejects with an `ApiError`. */
export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  // The server gives the same command for the same key: a request repeated by the browser switches once.
  if (options.once) headers['Idempotency-Key'] = uniqueKey();
  const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  const init: RequestInit = {
    method,
    headers,
    credentials: 'same-origin',
    signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
  };
  if (options.body !== undefined) init.body = JSON.stringify(options.body);
  const response = await send(path, init);
  if (!response.ok) throw await problem(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(BASE + path, init);
  } catch (error) {
    const aborted = error instanceof DOMException && error.name === 'AbortError';
    throw new ApiError(0, aborted ? 'aborted' : 'unreachable', String(error));
  }
}

async function problem(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const said = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const detail = [said['detail'], said['title']].find((text) => typeof text === 'string');
  const wait = Number(response.headers.get('Retry-After'));
  return new ApiError(
    response.status,
    typeof said['code'] === 'string' ? said['code'] : '',
    detail === undefined ? `HTTP ${response.status}` : String(detail),
    Number.isFinite(wait) && wait > 0 ? wait : null,
    said,
  );
}

/** A random key; `crypto.randomUUID` exists only on HTTPS and localhost, and a LAN may have neither. */
function uniqueKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
