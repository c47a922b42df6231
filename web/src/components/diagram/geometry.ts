/** Where everything in the single-line diagram stands, in CSS pixels. Pure: the same width gives the same drawing. */

export interface Point {
  x: number;
  y: number;
}

export interface Feeder {
  n: number;
  x: number;
}

/** One run of the bus with its outlets; a PDU with many outlets has several, joined by a riser. */
export interface Row {
  busY: number;
  fromX: number;
  toX: number;
  feeders: Feeder[];
}

export interface Geometry {
  width: number;
  height: number;
  main: Point;
  backup: Point;
  mainContact: Point;
  backupContact: Point;
  /** Where the blade of the transfer switch turns. */
  pivot: Point;
  isolatorTop: Point;
  isolatorPivot: Point;
  rows: Row[];
  /** x of the riser between rows. */
  riserX: number;
  /** Width that one outlet's texts have. */
  column: number;
}

export const SOURCE_RADIUS = 14;
export const ISOLATOR_BLADE = 30;
/** Below the bus: the feeder's upper contact, the pivot of its blade, the outlet symbol, its three lines of text. */
export const FEEDER = { contact: 20, pivot: 46, outlet: 64, symbol: 72, number: 90, power: 107, name: 123 };
export const FEEDER_BLADE = 25;

const SOURCE_Y = 22;
const CONTACT_Y = 84;
const CONTACT_SPREAD = 23;
const PIVOT_Y = CONTACT_Y + 30;
const ISOLATOR_TOP_Y = PIVOT_Y + 22;
const ISOLATOR_PIVOT_Y = ISOLATOR_TOP_Y + 27;
const BUS_Y = ISOLATOR_PIVOT_Y + 27;
const NARROWEST_COLUMN = 38;
const WIDEST_COLUMN = 150;
const MARGIN = 4;
const RISER = 16;

export function geometry(width: number, outlets: readonly number[], withNames: boolean): Geometry {
  const center = width / 2;
  const spread = Math.min(90, Math.max(54, width * 0.15));
  const rowHeight = (withNames ? FEEDER.name : FEEDER.power) + 22;
  const rows = split(outlets, width).map((numbers, index, all) =>
    row(numbers, index, all.length, all[0]?.length ?? 1, width, rowHeight),
  );
  const last = rows.at(-1)?.busY ?? BUS_Y;
  return {
    width,
    height: last + rowHeight - 10,
    main: { x: center - spread, y: SOURCE_Y },
    backup: { x: center + spread, y: SOURCE_Y },
    mainContact: { x: center - CONTACT_SPREAD, y: CONTACT_Y },
    backupContact: { x: center + CONTACT_SPREAD, y: CONTACT_Y },
    pivot: { x: center, y: PIVOT_Y },
    isolatorTop: { x: center, y: ISOLATOR_TOP_Y },
    isolatorPivot: { x: center, y: ISOLATOR_PIVOT_Y },
    rows,
    riserX: MARGIN + 2,
    column: columnWidth(width, rows[0]?.feeders.length ?? 1, rows.length),
  };
}

/** As few rows as fit, filled evenly. */
function split(outlets: readonly number[], width: number): number[][] {
  const oneRow = Math.floor((width - 2 * MARGIN) / NARROWEST_COLUMN);
  const most = Math.max(1, outlets.length <= oneRow ? oneRow : oneRow - 1);
  const count = Math.max(1, Math.ceil(outlets.length / most));
  const each = Math.ceil(outlets.length / count);
  return Array.from({ length: count }, (_, index) => outlets.slice(index * each, (index + 1) * each));
}

function columnWidth(width: number, perRow: number, rows: number): number {
  const left = rows > 1 ? RISER : 0;
  return Math.min(WIDEST_COLUMN, (width - 2 * MARGIN - left) / Math.max(1, perRow));
}

function row(numbers: number[], index: number, rows: number, perRow: number, width: number, height: number): Row {
  const column = columnWidth(width, perRow, rows);
  const left = rows > 1 ? RISER : 0;
  const firstX = left + (width - left) / 2 - (column * perRow) / 2 + column / 2;
  const feeders = numbers.map((n, position) => ({ n, x: firstX + position * column }));
  const overhang = Math.min(14, column / 3);
  return {
    busY: BUS_Y + index * height,
    fromX: rows > 1 ? MARGIN + 2 : firstX - overhang,
    toX: Math.max(firstX + (numbers.length - 1) * column + overhang, index === 0 ? width / 2 : 0),
    feeders,
  };
}

/** The conductor from a source through the closed switches to the bottom of a feeder, as an SVG path. */
export function flowPath(g: Geometry, source: 'main' | 'backup', feeder: Feeder, busY: number): string {
  const from = g[source];
  const contact = g[`${source}Contact`];
  const firstBus = g.rows[0]?.busY ?? busY;
  const riser = busY === firstBus ? '' : `H${g.riserX}V${busY}`;
  return (
    `M${from.x} ${from.y + SOURCE_RADIUS}V${bendY(g)}H${contact.x}V${contact.y}` +
    `L${g.pivot.x} ${g.pivot.y}V${firstBus}${riser}H${feeder.x}V${busY + FEEDER.outlet}`
  );
}

/** Height at which the sources' conductors turn towards the transfer switch. */
export function bendY(g: Geometry): number {
  return (g.main.y + SOURCE_RADIUS + g.mainContact.y) / 2 + 4;
}

/** Angle of the transfer switch's blade: 0 stands upright, between the contacts. */
export function bladeAngle(g: Geometry, active: 'main' | 'backup' | null): number {
  const reach = Math.atan2(g.pivot.x - g.mainContact.x, g.pivot.y - g.mainContact.y);
  const degrees = (reach * 180) / Math.PI;
  return active === null ? 0 : active === 'main' ? -degrees : degrees;
}
