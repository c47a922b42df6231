/** Requests of the schedules page. */

import { request, search } from '../../lib/api';
import type { Preview, Schedule, ScheduleIn, Week } from './model';

const BASE = '/schedules';

export function list(): Promise<{ items: Schedule[]; timezone: string; server_ms: number }> {
  return request('GET', BASE);
}

export function week(since_ms: number, until_ms: number): Promise<Week> {
  return request('GET', `${BASE}/occurrences${search({ since_ms, until_ms })}`);
}

export function add(schedule: ScheduleIn): Promise<Schedule> {
  return request('POST', BASE, { body: schedule });
}

/** Refused with code `schedule_changed` unless `version` is the current one. */
export function change(id: string, version: number, schedule: ScheduleIn): Promise<Schedule> {
  return request('PUT', `${BASE}/${encodeURIComponent(id)}`, { body: { ...schedule, version } });
}

export function remove(id: string): Promise<void> {
  return request('DELETE', `${BASE}/${encodeURIComponent(id)}`);
}

/** What a schedule would do next, without keeping it. */
export function preview(schedule: ScheduleIn, count: number, replaces: string): Promise<Preview> {
  return request('POST', `${BASE}/preview${search({ count, replaces })}`, { body: schedule });
}

export function setSkipped(id: string, start_ms: number, skipped: boolean): Promise<void> {
  return request(skipped ? 'PUT' : 'DELETE', `${BASE}/${encodeURIComponent(id)}/skips/${start_ms}`);
}
