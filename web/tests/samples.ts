import type { LiveState } from '../src/lib/live/state';
import type { Alarm, Command, Outlet, Pdu, PduEvent } from '../src/lib/model';

export function outlet(change: Partial<Outlet> = {}): Outlet {
  return {
    n: 1,
    name: 'Router',
    on: true,
    cause: 'person_on',
    why: 'On: switched on by admin.',
    trip: null,
    locked: false,
    critical: false,
    priority: 4,
    protected: false,
    voltage_v: 230,
    current_a: 0.5,
    power_w: 100,
    power_factor: 0.87,
    energy_kwh: 12,
    today_kwh: 1,
    limit_a: 4,
    pending: null,
    ...change,
  };
}

export function pdu(change: Partial<Pdu> = {}): Pdu {
  return {
    id: 'rack-1',
    name: 'Rack 1',
    online: true,
    boot: 1,
    firmware: '1',
    model: 'UNO 4',
    as_of_ms: 1_000,
    age_ms: 0,
    quality: 'good',
    nominal_v: 230,
    nominal_hz: 50,
    active: 'main',
    preferred: 'main',
    live: true,
    isolator: 'closed',
    sources: [
      { source: 'main', grade: 'good', voltage_v: 230, frequency_hz: 50 },
      { source: 'backup', grade: 'good', voltage_v: 229, frequency_hz: 50 },
    ],
    power_w: 100,
    current_a: 0.5,
    rating_a: 16,
    outlets: [outlet()],
    settings_version: 0,
    desired_version: 0,
    lockout: false,
    alarms: 0,
    ...change,
  };
}

export function event(id: number, change: Partial<PduEvent> = {}): PduEvent {
  return {
    id,
    pdu_id: 'rack-1',
    ts_ms: id * 1_000,
    code: 'switched',
    title: 'switched',
    severity: 'info',
    outlet: 1,
    source: null,
    cause: null,
    text: '',
    remedy: 'none',
    because: null,
    boot: 1,
    seq: id,
    data: {},
    ...change,
  };
}

export function alarm(id: number, cleared_ms: number | null = null): Alarm {
  return {
    id,
    pdu_id: 'rack-1',
    kind: 'trip',
    title: 'Outlet tripped',
    text: '',
    severity: 'critical',
    outlet: 1,
    source: null,
    first_ms: 1,
    last_ms: 1,
    count: 1,
    cleared_ms,
    acknowledged_ms: null,
    acknowledged_by: '',
    note: '',
  };
}

export function command(id: string, status: Command['status']): Command {
  return {
    id,
    pdu_id: 'rack-1',
    do: 'switch',
    outlet: 1,
    on: true,
    source: null,
    off_s: null,
    by: 'admin',
    status,
    code: '',
    message: '',
    created_ms: 1,
    settled_ms: null,
    expires_at_ms: null,
  };
}

export function liveState(): LiveState {
  return {
    pdus: new Map(),
    alarms: new Map(),
    commands: new Map(),
    rings: new Map(),
    events: [],
    lastEventId: null,
    server: { database: 'ok', broker: 'ok' },
    offsetMs: 0,
  };
}
