/** Routes live in the fragment, so that the server needs to know none of them. */

export type Route =
  | { page: 'overview' }
  | { page: 'pdu'; id: string }
  | { page: 'history'; query: URLSearchParams }
  | { page: 'analytics'; query: URLSearchParams }
  | { page: 'schedules'; query: URLSearchParams }
  | { page: 'limits'; query: URLSearchParams }
  | { page: 'events'; query: URLSearchParams }
  | { page: 'missing' };

/** The route that a fragment such as `#/pdu/rack-1` names. */
export function parse(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#/, '').split('?', 2);
  const parts = path.split('/').filter(Boolean).map(decoded);
  const query = new URLSearchParams(search);
  const [first, second] = parts;
  if (parts.length === 0) return { page: 'overview' };
  if (first === 'pdu' && second !== undefined && parts.length === 2) return { page: 'pdu', id: second };
  if (first === 'history' && parts.length === 1) return { page: 'history', query };
  if (first === 'analytics' && parts.length === 1) return { page: 'analytics', query };
  if (first === 'schedules' && parts.length === 1) return { page: 'schedules', query };
  if (first === 'limits' && parts.length === 1) return { page: 'limits', query };
  if (first === 'events' && parts.length === 1) return { page: 'events', query };
  return { page: 'missing' };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray % is no reason to show nothing
  }
}

class Router {
  route = $state.raw<Route>(parse(location.hash));

  constructor() {
    addEventListener('hashchange', () => (this.route = parse(location.hash)));
  }

  /** Changes the query of the current page without a new entry in the browser's history. */
  replaceQuery(query: URLSearchParams): void {
    const path = location.hash.split('?', 1)[0] || '#/';
    const text = query.toString();
    window.history.replaceState(null, '', text ? `${path}?${text}` : path);
  }
}

export const router = new Router();

export const links = {
  overview: '#/',
  pdu: (id: string): string => `#/pdu/${encodeURIComponent(id)}`,
  history: (pdu?: string, outlet?: number): string =>
    `#/history${query({ pdu, outlets: outlet === undefined ? undefined : String(outlet) })}`,
  analytics: (pdu?: string): string => `#/analytics${query({ pdu })}`,
  schedules: '#/schedules',
  limits: (pdu?: string): string => `#/limits${query({ pdu })}`,
  events: (pdu?: string): string => `#/events${query({ pdu })}`,
};

function query(values: Record<string, string | undefined>): string {
  const set = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const text = new URLSearchParams(set).toString();
  return text && `?${text}`;
}
