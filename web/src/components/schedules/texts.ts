/** Texts of the schedules page, loaded with it. */

import { i18n, type Language } from '../../lib/i18n/i18n.svelte';
import type { Act, Holidays, OccurrenceState } from './model';
import { de } from './texts.de';

export const en = {
  title: 'Schedules',
  add: 'New schedule',
  week: (from: string, to: string) => `${from} – ${to}`,
  zone: (zone: string) => `Times of ${zone}`,
  before: 'Week before',
  after: 'Week after',
  today: 'This week',
  grid: 'Week',
  drag: 'Drag a block to begin it earlier or later; it moves on each of its days.',
  moved: (name: string, at: string) => `${name} begins at ${at} now`,
  holiday: 'Holiday',
  conflicts: 'Conflicts',
  conflict: (outlet: string, names: string, from: string) => `${outlet}: ${names} want opposite things from ${from}. The later beginning has its way.`,
  list: 'All schedules',
  none: 'There is no schedule yet.',
  next: (at: string) => `next ${at}`,
  noNext: 'nothing to come',
  off: 'paused',
  edit: 'Edit',
  editOf: (name: string) => `Edit ${name}`,
  remove: 'Delete',
  removeTitle: (name: string) => `Delete ${name}?`,
  removeText: 'It switches nothing. What it has switched on stays on.',
  skip: 'Skip the next',
  skipOf: (name: string) => `Skip the next occurrence of ${name}`,
  skipped: (name: string, at: string) => `${name} leaves ${at} out`,
  pause: (name: string) => `Pause ${name}`,
  resume: (name: string) => `Let ${name} run`,
  pauseShort: 'Pause',
  resumeShort: 'Run',
  save: 'Save',
  saved: (name: string) => `${name} is kept`,
  changed: 'Somebody else has changed this schedule meanwhile. What they made of it is shown now.',
  until: (from: string, to: string) => `${from} to ${to}`,
  acts: { on: 'on', off: 'off', cycle: 'power cycle' } as Record<Act, string>,
  states: {
    planned: 'planned',
    disabled: 'paused',
    running: 'under way',
    sent: 'sent',
    done: 'done',
    late: 'done late',
    missed: 'missed',
    refused: 'refused',
    skipped: 'left out',
    overridden: 'ended by a person',
    unknown: 'unknown',
  } as Record<OccurrenceState, string>,

  form: {
    newTitle: 'New schedule',
    title: (name: string) => `Edit ${name}`,
    name: 'Name',
    outlets: 'Outlets',
    does: 'Does',
    pause: 'Off for, in s',
    days: 'Days',
    once: 'Once',
    weekly: 'On days of the week',
    other: (rule: string) => `By a rule of its own: ${rule}`,
    first: 'From',
    day: 'Day',
    dayNames: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'],
    holidays: 'Holidays',
    holidayChoices: { ignore: 'as other days', skip: 'not on holidays', only: 'only on holidays' } as Record<Holidays, string>,
    begins: 'Begins',
    ends: 'Ends',
    kinds: { clock: 'at', sunrise: 'at sunrise', sunset: 'at sunset', cheapest: 'when it is cheapest', never: 'not', after: 'after' },
    offset: 'minutes later',
    minutes: 'minutes',
    hours: 'Hours',
    before: 'done before',
    within: 'within hours',
    contiguous: 'in one piece',
    preview: 'It would happen',
    previewNone: 'It would never happen.',
  },
};

export type Texts = typeof en;

const TEXTS: Record<Language, Texts> = { en, de };

/** The texts in the person's language. */
export function texts(): Texts {
  return TEXTS[i18n.language];
}
