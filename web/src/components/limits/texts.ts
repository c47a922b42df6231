/** Texts of the limits page, loaded with it. */

import { i18n, type Language } from '../../lib/i18n/i18n.svelte';
import type { DryWhat } from '../../lib/model';
import { de } from './texts.de';

export const en = {
  title: 'Limits and priorities',
  pdu: 'PDU',
  intro: 'The PDU keeps all of this by itself, also without network and control center.',
  runs: (version: number) => `The PDU runs version ${version}.`,
  runsFactory: 'The PDU runs the settings of the factory.',
  waits: (desired: number, reported: string) =>
    `Version ${desired} is desired, the PDU runs ${reported}. It takes it over when it hears of it.`,
  factory: 'the settings of the factory',
  changes: (count: number) => (count === 1 ? '1 change, not applied' : `${count} changes, not applied`),
  noChanges: 'No changes.',
  apply: 'Apply',
  discard: 'Discard',
  applied: 'Settings are on their way to the PDU',
  invalid: 'A value is out of its range.',
  range: (low: string, high: string) => `${low} to ${high}`,

  priorities: {
    title: 'Priorities',
    hint: 'When a source carries too much, outlets are shed from the bottom up; the top one is kept longest. Drag, or use the arrows.',
    up: (name: string) => `Keep ${name} longer`,
    down: (name: string) => `Shed ${name} earlier`,
    moved: (name: string, place: number, count: number) => `${name} is now ${place} of ${count}`,
    protected: 'never shed',
    protectedOf: (name: string) => `Never shed ${name}`,
    same: 'equal priority',
    draws: 'draws',
  },

  budgets: {
    title: 'Budgets of the sources',
    hint: 'What a source may carry. Above it the PDU sheds by priority, after 1 s, or 0.1 s above one and a half times.',
    draws: (amount: string) => `carries ${amount} now`,
    idle: 'carries nothing now',
    restore: 'Return of shed outlets',
  },

  outlets: {
    title: 'Limits of the outlets',
    hint: 'Above its limit for its time an outlet trips, is shed, or warns. The curve protects beside it, and always trips.',
    outlet: 'Outlet',
  },

  transfer: { title: 'Transfer and start' },

  dry: {
    title: 'Try it on what has been',
    hint: 'The same rules over recorded minutes: what the changes above would have done, beside what is in force. Nothing is switched.',
    over: 'Over',
    days: (count: number) => (count === 1 ? '1 day' : `${count} days`),
    run: 'Try',
    busy: 'Trying…',
    covered: (percent: number) => `${percent} % of this time is recorded.`,
    current: 'In force',
    proposed: 'Proposed',
    events: (count: number) => (count === 1 ? '1 event' : `${count} events`),
    sheds: 'Sheds',
    trips: 'Trips',
    warnings: 'Warnings',
    off: 'Time off',
    lost: 'Not delivered',
    change: (from: string, to: string) => (from === to ? to : `${from} → ${to}`),
    overMinutes: (minutes: number) => `${minutes} min over a budget with nothing left to shed.`,
    possible: (minutes: number) =>
      `${minutes} min more were over only at their peak; whether that was long enough is not recorded.`,
    list: (count: number) => (count === 1 ? 'The event' : `The first ${count} events`),
    what: {
      shed: 'shed',
      restored: 'restored',
      trip: 'trips',
      limit_shed: 'shed by its limit',
      warning: 'over its limit',
      reset: 'reset',
      over_budget: 'over the budget',
    } as Record<DryWhat, string>,
  },

  conflict: {
    title: 'Somebody else was faster',
    text: 'These were changed by somebody else while you were changing them. Yours are not applied yet.',
    mine: 'Yours',
    theirs: 'Theirs',
    takeTheirs: 'Take theirs',
    keepMine: 'Keep yours',
    of: (name: string) => `of ${name}`,
  },

  names: {
    preferred: 'Preferred source',
    auto_retransfer: 'Return to it by itself',
    retransfer_delay_s: 'after it was good for',
    max_transfers_per_hour: 'Returns in an hour, at most',
    sequence_ms: 'Pause between outlets that close',
    transfer_mode: 'Transfer between live sources',
    idmt_reset_s: 'Curves forget in',
    budget_main_ma: 'Current',
    budget_backup_ma: 'Current',
    budget_main_mw: 'Power',
    budget_backup_mw: 'Power',
    restore_delay_s: 'Pause before each',
    min_on_s: 'Least time on before the next',
    min_off_s: 'Least time off',
    limit_ma: 'Current limit',
    limit_ms: 'for',
    limit_action: 'then',
    limit_mw: 'Power limit',
    power_on: 'After a power loss',
    curve: 'Curve',
    curve_ma: 'Pick-up',
    curve_tms_permille: 'Time multiplier',
    priority: 'Priority',
    protected: 'Never shed',
  } as Record<string, string>,

  choices: {
    main: 'MAIN',
    backup: 'BACKUP',
    isolate_first: 'isolator first',
    fast: 'fast',
    last_state: 'as before',
    always_on: 'on',
    always_off: 'off',
    trip: 'trip',
    shed: 'shed',
    warn: 'warn',
    ni: 'normal inverse',
    vi: 'very inverse',
    ei: 'extremely inverse',
    true: 'yes',
    false: 'no',
  } as Record<string, string>,
};

export type Texts = typeof en;

const TEXTS: Record<Language, Texts> = { en, de };

/** The texts in the person's language. */
export function texts(): Texts {
  return TEXTS[i18n.language];
}
