/** Where an instant stands in a week of the site's clock. Pure: the zone is an argument. */

export const DAY_MIN = 1440;

export interface Wall {
  day: string;
  minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Date and minute of the day that the clock of a zone shows at an instant. */
export function wall(ms: number, zone: string): Wall {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const minute = Number(parts['hour']) * 60 + Number(parts['minute']);
  return { day: `${parts['year']}-${parts['month']}-${parts['day']}`, minute };
}

export function addDays(day: string, count: number): string {
  return new Date(Date.parse(day) + count * 86_400_000).toISOString().slice(0, 10);
}

/** The Monday of the week that a day is in. */
export function monday(day: string): string {
  return addDays(day, -((new Date(Date.parse(day)).getUTCDay() + 6) % 7));
}

export interface Piece<T> {
  item: T;
  day: string;
  /** Minutes of that day's clock; an instant has no length. */
  from: number;
  until: number;
  first: boolean;
}

/** The spans in a week, cut at midnights, each piece at its day. */
export function pieces<T extends { start_ms: number; end_ms: number | null }>(
  items: readonly T[],
  week: readonly string[],
  zone: string,
): Piece<T>[] {
  return items.flatMap((item) => {
    const start = wall(item.start_ms, zone);
    const end = item.end_ms === null ? start : wall(item.end_ms, zone);
    return week
      .filter((day) => day >= start.day && (day < end.day || (day === end.day && (end.minute > 0 || day === start.day))))
      .map((day) => ({
        item,
        day,
        from: day === start.day ? start.minute : 0,
        until: day === end.day ? end.minute : DAY_MIN,
        first: day === start.day,
      }));
  });
}

/** Pieces of one day beside each other where they overlap: a column for each, and how many there are. */
export function lanes<T>(of: readonly Piece<T>[], least: number): { piece: Piece<T>; lane: number; count: number }[] {
  const sorted = of.toSorted((a, b) => a.from - b.from || b.until - a.until);
  const placed: { piece: Piece<T>; lane: number; group: number }[] = [];
  const ends: number[] = [];
  let group = 0;
  let groupEnd = -1;
  for (const piece of sorted) {
    if (piece.from >= groupEnd) {
      group++;
      ends.length = 0;
    }
    const until = Math.max(piece.until, piece.from + least);
    const free = ends.findIndex((end) => end <= piece.from);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = until;
    groupEnd = Math.max(groupEnd, until);
    placed.push({ piece, lane, group });
  }
  const counts = new Map<number, number>();
  for (const { lane, group: of } of placed) counts.set(of, Math.max(counts.get(of) ?? 0, lane + 1));
  return placed.map(({ piece, lane, group: of }) => ({ piece, lane, count: counts.get(of) ?? 1 }));
}
