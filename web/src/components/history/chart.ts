/** The chart of the history. Loaded only when it is shown: ECharts is most of the page's weight. */

import { LineChart, type LineSeriesOption } from 'echarts/charts';
import {
  AxisPointerComponent,
  DataZoomInsideComponent,
  GridComponent,
  MarkLineComponent,
  TooltipComponent,
} from 'echarts/components';
import * as echarts from 'echarts/core';
import type { ECharts } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { digits, tick } from '../../lib/format';
import type { Point } from './points';
import type { Window } from './window';

echarts.use([
  LineChart,
  GridComponent,
  TooltipComponent,
  AxisPointerComponent,
  DataZoomInsideComponent,
  MarkLineComponent,
  CanvasRenderer,
]);

/** Where the plot stands inside the chart, in px; the strip of events below is aligned to it. */
export const PLOT = { left: 52, right: 12 };
const POWER_TOP = 28;
const VOLTAGE_HEIGHT = 110;
const AXIS_HEIGHT = 28;
const PANEL_GAP = 34;
const DEBOUNCE_MS = 200;

export interface Line {
  name: string;
  quantity: 'power_w' | 'voltage_v';
  color: string;
  points: Point[];
}

export interface Picture {
  window: Window;
  lines: Line[];
  marks: { t: number; color: string }[];
  /** Whether buckets hold more than one reading, so that lowest and highest differ. */
  banded: boolean;
  withVoltage: boolean;
  locale: string;
  powerTitle: string;
  voltageTitle: string;
  colors: { ink: string; soft: string; line: string; font: string };
}

export interface Handlers {
  /** The person moves or zooms: called at once, for what follows the chart. */
  moving(window: Window): void;
  /** The movement has ended. */
  moved(window: Window): void;
  /** The time under the pointer, null when it has left. */
  pointed(t: number | null): void;
}

/** A chart inside `element`, until `dispose`. */
export class HistoryChart {
  readonly #chart: ECharts;
  readonly #watch: ResizeObserver;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #axis: Window = { since: 0, until: 1 };

  constructor(element: HTMLElement, handlers: Handlers) {
    this.#chart = echarts.init(element, null, { renderer: 'canvas' });
    this.#watch = new ResizeObserver(() => this.#chart.resize());
    this.#watch.observe(element);
    this.#chart.on('datazoom', () => this.#zoomed(handlers));
    this.#chart.on('updateAxisPointer', (event) => {
      const info = (event as { axesInfo?: { value: number }[] }).axesInfo?.[0];
      handlers.pointed(info?.value ?? null);
    });
    this.#chart.on('globalout', () => handlers.pointed(null));
  }

  draw(picture: Picture): void {
    const { since, until } = picture.window;
    const length = until - since;
    // The axis is three times as long as what is seen, so that there is something to move into.
    this.#axis = { since: since - length, until: until + length };
    clearTimeout(this.#timer);
    this.#chart.setOption(option(picture, this.#axis), { notMerge: true });
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#watch.disconnect();
    this.#chart.dispose();
  }

  #zoomed(handlers: Handlers): void {
    const zoom = (this.#chart.getOption()['dataZoom'] as { start: number; end: number }[])[0];
    if (!zoom) return;
    const length = this.#axis.until - this.#axis.since;
    const at = (percent: number) => Math.round(this.#axis.since + (length * percent) / 100);
    const window = { since: at(zoom.start), until: at(zoom.end) };
    handlers.moving(window);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => handlers.moved(window), DEBOUNCE_MS);
  }
}

function option(picture: Picture, axis: Window): Record<string, unknown> {
  const { colors, withVoltage, window } = picture;
  const bottom = AXIS_HEIGHT + (withVoltage ? VOLTAGE_HEIGHT + PANEL_GAP : 0);
  const grids = [{ ...PLOT, top: POWER_TOP, bottom }];
  if (withVoltage) grids.push({ ...PLOT, top: -1, bottom: AXIS_HEIGHT });
  return {
    animation: false,
    textStyle: { fontFamily: colors.font, color: colors.soft },
    grid: grids.map((grid) => (grid.top < 0 ? { ...grid, top: undefined, height: VOLTAGE_HEIGHT } : grid)),
    xAxis: grids.map((_, index) => timeAxis(picture, axis, index, index === grids.length - 1)),
    yAxis: grids.map((_, index) => valueAxis(picture, index)),
    // The values at the pointer stand in the table beside the chart; a box would be inline styles in HTML.
    tooltip: { trigger: 'axis', showContent: false },
    axisPointer: { link: [{ xAxisIndex: 'all' }], lineStyle: { color: colors.ink, width: 1, type: 'solid' } },
    dataZoom: [
      {
        type: 'inside',
        xAxisIndex: grids.map((_, index) => index),
        filterMode: 'none',
        startValue: window.since,
        endValue: window.until,
        minValueSpan: 60_000,
        // A plain wheel scrolls the page; pinching on a touchpad arrives as a wheel with Ctrl.
        zoomOnMouseWheel: 'ctrl',
        preventDefaultMouseMove: false,
        throttle: 40,
      },
    ],
    series: [...picture.lines.flatMap((line) => series(line, picture)), marks(picture)],
  };
}

function timeAxis({ colors, locale, window }: Picture, axis: Window, gridIndex: number, labelled: boolean): object {
  const step = (window.until - window.since) / 8;
  return {
    type: 'time',
    gridIndex,
    min: axis.since,
    max: axis.until,
    axisLine: { lineStyle: { color: colors.line } },
    axisTick: { show: false },
    axisLabel: { show: labelled, hideOverlap: true, color: colors.soft, formatter: (t: number) => tick(t, step, locale) },
    splitLine: { show: false },
  };
}

function valueAxis({ colors, locale, powerTitle, voltageTitle }: Picture, gridIndex: number): object {
  const power = gridIndex === 0;
  return {
    type: 'value',
    gridIndex,
    name: power ? powerTitle : voltageTitle,
    nameLocation: 'end',
    nameGap: 10,
    nameTextStyle: { color: colors.soft, align: 'left', padding: [0, 0, 0, -PLOT.left + 4] },
    scale: !power,
    splitNumber: power ? 4 : 2,
    minInterval: 1,
    axisLabel: { color: colors.soft, formatter: (value: number) => digits(value, 'power_w', locale).replace(/[.,]0$/, '') },
    splitLine: { lineStyle: { color: colors.line } },
  };
}

function series(line: Line, { banded, withVoltage }: Picture): LineSeriesOption[] {
  const axisIndex = line.quantity === 'voltage_v' && withVoltage ? 1 : 0;
  const shared: LineSeriesOption = {
    type: 'line',
    xAxisIndex: axisIndex,
    yAxisIndex: axisIndex,
    symbol: 'none',
    silent: true,
    connectNulls: false,
  };
  const average: LineSeriesOption = {
    ...shared,
    name: line.name,
    data: line.points.map(({ t, avg }) => [t, avg]),
    lineStyle: { color: line.color, width: 1.5 },
    itemStyle: { color: line.color },
    z: 3,
  };
  return banded ? [...band(line, shared), average] : [average];
}

/** Two stacked lines: an invisible one at the lowest values, and the area from there to the highest. */
function band(line: Line, shared: LineSeriesOption): LineSeriesOption[] {
  const stack = `band ${line.name}`;
  const low = line.points.map(({ t, min }) => [t, min]);
  const height = line.points.map(({ t, min, max }) => [t, min === null || max === null ? null : max - min]);
  const hidden: LineSeriesOption = { ...shared, stack, stackStrategy: 'all', lineStyle: { opacity: 0 } };
  return [
    { ...hidden, name: `${stack} low`, data: low as [number, number][] },
    { ...hidden, name: `${stack} high`, data: height as [number, number][], areaStyle: { color: line.color, opacity: 0.16 } },
  ];
}

function marks({ marks: all }: Picture): LineSeriesOption {
  return {
    type: 'line',
    data: [],
    silent: true,
    markLine: {
      symbol: 'none',
      silent: true,
      label: { show: false },
      data: all.map(({ t, color }) => ({ xAxis: t, lineStyle: { color, width: 1, type: [2, 3], opacity: 0.75 } })),
    },
  };
}
