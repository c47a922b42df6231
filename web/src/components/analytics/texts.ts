/** Texts of the analytics page, loaded with it. */

import { i18n, type Language } from '../../lib/i18n/i18n.svelte';
import type { DisturbanceKind, Verdict } from './model';
import type { Preset } from './period';
import { de } from './texts.de';

export const en = {
  title: 'Analytics',
  pdu: 'PDU',
  period: 'Period',
  presets: { week: '7 days', month: 'This month', last_month: 'Last month', year: 'This year' } as Record<Preset, string>,
  from: 'From',
  to: 'To',
  print: 'Print',
  span: (from: string, to: string, zone: string) => `${from} – ${to}, time zone ${zone}`,
  comparedWith: (from: string, to: string) => `compared with ${from} – ${to}`,
  nothing: 'No readings in this period.',
  table: 'As a table',
  missing: 'no readings',
  coverage: 'Readings',
  coverageHint: 'Readings: the part of the time that readings stand for. What happened in the rest is not known.',

  energy: {
    title: 'Energy and cost',
    energy: 'Energy',
    cost: 'Cost',
    noTariff: 'No tariff is set.',
    fee: (amount: string) => `plus ${amount} daily fee`,
    inGap: (energy: string) => `${energy} of it in gaps`,
    change: (change: string) => `${change} to the period before`,
    demand: 'Highest demand, 15 min',
    loadFactor: 'Load factor',
    mean: (power: string) => `mean ${power}`,
    untracked: 'Without readings',
    days: 'Energy by day, in kWh',
    daysLabel: (from: string, to: string) => `Energy of each day from ${from} to ${to}`,
    day: 'Day',
    metered: 'Metered',
    gap: 'In gaps',
    partial: 'Readings below 90 %',
    prices: 'By price',
    price: 'Price',
    perKwh: 'per kWh',
    share: 'Share',
  },

  load: {
    outlets: 'Outlets',
    outlet: 'Outlet',
    change: 'Change',
    mean: 'Mean',
    demand: '15-min demand',
    peak: 'Peak',
    at: 'at',
    loadFactor: 'Load factor',
    standby: 'Standby',
    standbyHint:
      'Standby: the power that an outlet goes below in at most 5 % of its time on (one-minute means). Resting: part of its time on in which it draws no more than a quarter or 1 W above.',
    resting: 'Resting',
    hours: 'Mean power by hour of the week',
    hoursHint: 'All outlets together, in W, by the site’s clock.',
    hour: 'Hour',
  },

  voltage: {
    title: 'Voltage quality',
    against: (nominal: string) => `10-minute means against EN 50160, nominal ${nominal}`,
    fromDefault: 'The PDU has not told its nominal voltage; 230 V is taken.',
    range: (low: string, high: string) => `${low} to ${high}`,
    noMeans: 'No ten-minute value.',
    histogram: (source: string) => `10-minute means of ${source} in percent of the nominal voltage`,
    percentOfNominal: '% of nominal',
    count: 'Values',
    weeks: 'Weeks',
    week: 'Week of',
    values: 'Values',
    flagged: 'Flagged',
    within: '±10 %',
    wide: '+10/−15 %',
    verdict: 'EN 50160',
    partWeek: 'not a whole week',
    verdicts: { met: 'met', not_met: 'not met', unknown: 'too little known' } as Record<Verdict, string>,
    events: 'Dips, swells, interruptions',
    none: 'None was told.',
    residual: 'Residual voltage',
    upTo: (span: string) => `≤ ${span}`,
    dips: 'Dips by residual voltage and duration',
    swells: 'Swells by voltage and duration',
    kinds: {
      dip: 'Dip',
      swell: 'Swell',
      interruption: 'Interruption',
      undervoltage: 'Undervoltage',
      overvoltage: 'Overvoltage',
    } as Record<DisturbanceKind, string>,
    shortInterruptions: 'Interruptions up to 3 min',
    longInterruptions: 'Longer interruptions',
    undervoltages: 'Undervoltages over 1 min',
    overvoltages: 'Overvoltages over 1 min',
    kind: 'What',
    begin: 'Begin',
    duration: 'Duration',
    atLeast: (span: string) => `at least ${span}`,
    extreme: 'Voltage',
  },

  supply: {
    title: 'Outages and transfers',
    count: 'Outages',
    total: 'Total',
    longest: 'Longest',
    availability: 'Availability',
    between: (low: string, high: string) => `${low} to ${high}`,
    onBackup: 'On BACKUP',
    transfers: 'Transfers',
    cause: 'Cause',
    number: 'Number',
    before: (value: string) => `before: ${value}`,
    list: 'Longest outages',
    causes: {
      source_lost: 'Source lost',
      overvoltage: 'Overvoltage',
      retransfer: 'Return to the preferred source',
      manual: 'By a person',
      start_up: 'Start-up',
      protection: 'Protection',
      unknown: 'Unknown',
    } as Record<string, string>,
  },
};

export type Texts = typeof en;

const TEXTS: Record<Language, Texts> = { en, de };

/** The texts in the person's language. */
export function texts(): Texts {
  return TEXTS[i18n.language];
}
