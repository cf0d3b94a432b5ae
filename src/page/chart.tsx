// One time series chart. It owns one uPlot and one resize observer from mount to unmount, and feeds it the same arrays again
// and again, so that a page that stays open for days holds what it held after five minutes.

import type { ReadonlySignal } from "@preact/signals";
import { effect, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { clockText } from "./format.ts";

/** One line of a chart. */
export interface Line {
  readonly label: string;
  /** A custom property of the stylesheet, such as `--line-1`. */
  readonly color: string;
  readonly fill?: boolean;
  /** Points without a line between them. */
  readonly points?: boolean;
}

/** Times in seconds, then the values of each line. */
export type ChartData = (number | null)[][];

/** What a chart is made of. None of it may change once it is mounted. */
export interface ChartProps {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly text: (value: number) => string;
  /** Read inside an effect: writes the data, and so depends on whatever signals tell of changes. */
  readonly read: (data: ChartData) => void;
  /** The length of the time axis in seconds; the whole of the data without it. */
  readonly spanSeconds?: number;
  /** Bytes step by powers of two, counts by whole numbers. */
  readonly unit?: "bytes" | "count";
  /** Shows the part of the axis where the values are, rather than begin at zero. */
  readonly isZoomed?: boolean;
  readonly emptyText: string;
  /** A sentence under the title. */
  readonly note: string | ReadonlySignal<string>;
}

const heightPx = 128;
/** Steps of an axis in bytes, from 1 byte to 1 TB. */
const byteSteps: number[] = Array.from({ length: 41 }, (_, power) => 2 ** power);
/** Steps of an axis of counts: 1, 2, 5, 10 and so on. */
const countSteps: number[] = Array.from({ length: 9 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();
/** Steps of a time axis in seconds. */
const timeSteps: number[] = [1, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 604_800];

/** A chart with its legend, which tells the latest values, or those under the pointer. */
export function Chart(props: ChartProps): JSX.Element {
  const { title, lines, text } = props;
  const box = useRef<HTMLDivElement>(null);
  const shown = useSignal<readonly (number | null)[]>([]);
  const pointedAt = useSignal<string>("");
  const isEmpty = useSignal(true);
  useEffect(() => (box.current ? drawIn(box.current, { props, shown, pointedAt, isEmpty }) : undefined), []);
  const summary = lines.map(({ label }, index) => `${label} ${valueText(shown.value[index], text)}`).join(", ");
  return (
    <figure class="panel chart">
      <figcaption>
        <h3>{title}</h3>
        <span class="at">{pointedAt.value}</span>
        <ul class="legend">
          {lines.map(({ label, color }, index) => (
            <li key={label}>
              <span class={`swatch ${color.slice(2)}`} aria-hidden="true" />
              {label} <b>{valueText(shown.value[index], text)}</b>
            </li>
          ))}
        </ul>
        <p class="chart-note">{props.note}</p>
      </figcaption>
      <div class="plot" ref={box} role="img" aria-label={`${title}: ${summary}`} />
      {isEmpty.value && <p class="plot-empty">{props.emptyText}</p>}
    </figure>
  );
}

interface Drawing {
  readonly props: ChartProps;
  readonly shown: { value: readonly (number | null)[] };
  readonly pointedAt: { value: string };
  readonly isEmpty: { value: boolean };
}

/** Draws until the returned function is called. */
function drawIn(box: HTMLElement, drawing: Drawing): () => void {
  const { props, shown, pointedAt, isEmpty } = drawing;
  const data: ChartData = [[], ...props.lines.map((): (number | null)[] => [])];
  const tellValues = (index: number | null | undefined): void => {
    shown.value = data
      .slice(1)
      .map((values) => (typeof index === "number" ? values[index] : values.findLast(isKnown)) ?? null);
    const time = index === null || index === undefined ? null : data[0]?.[index];
    pointedAt.value = time === null || time === undefined ? "" : clockText(time * 1000);
  };
  const plot = new uPlot(optionsFor(box, { props, tellValues }), aligned(data), box);
  const stop = effect(() => {
    props.read(data);
    plot.setData(aligned(data));
    tellValues(plot.cursor.idx);
    isEmpty.value = data.slice(1).every((values) => !values.some(isKnown));
  });
  const resized = new ResizeObserver(() => {
    if (box.clientWidth > 0) plot.setSize({ width: box.clientWidth, height: heightPx });
  });
  resized.observe(box);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const onScheme = (): void => plot.redraw(false, true);
  scheme.addEventListener("change", onScheme);
  return () => {
    stop();
    resized.disconnect();
    scheme.removeEventListener("change", onScheme);
    plot.destroy();
  };
}

function isKnown(value: number | null): value is number {
  return value !== null;
}

/** uPlot's type wants plain numbers for the times, which ours are. */
function aligned(data: ChartData): uPlot.AlignedData {
  const [times = [], ...values] = data;
  return [times.map(Number), ...values];
}

function optionsFor(
  box: HTMLElement,
  how: { readonly props: ChartProps; readonly tellValues: (index: number | null | undefined) => void },
): uPlot.Options {
  const { lines, text, spanSeconds, unit, isZoomed } = how.props;
  const color = (name: string) => (): string => getComputedStyle(box).getPropertyValue(name).trim();
  const font = `11px ${getComputedStyle(box).fontFamily}`;
  const axis: uPlot.Axis = {
    stroke: color("--quiet"),
    font,
    grid: { stroke: color("--rule"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: Math.max(100, box.clientWidth),
    height: heightPx,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 7 }, y: false },
    padding: [8, 18, 0, 0],
    hooks: { setCursor: [(plot) => how.tellValues(plot.cursor.idx)] },
    scales: {
      x: { range: (_, min, max) => timeRange(min, max, spanSeconds) },
      y: { range: (_, min, max) => valueRange({ min, max }, isZoomed === true) },
    },
    axes: [
      {
        ...axis,
        size: 22,
        space: 58,
        incrs: timeSteps,
        values: (_, splits, __, ___, step) => splits.map((at) => timeText(at, step)),
      },
      {
        ...axis,
        size: 62,
        space: 30,
        ...(unit && { incrs: unit === "bytes" ? byteSteps : countSteps }),
        values: (_, splits) => splits.map((value) => text(value)),
      },
    ],
    series: [{}, ...lines.map((line) => seriesOf(line, color))],
  };
}

function seriesOf(line: Line, color: (name: string) => () => string): uPlot.Series {
  const stroke = color(line.color);
  return {
    label: line.label,
    stroke,
    width: 1.5,
    ...(line.fill === true && { fill: color(`${line.color}-fill`) }),
    points: line.points === true ? { show: true, size: 5, fill: stroke } : { show: false },
  };
}

function timeRange(min: number | null, max: number | null, spanSeconds: number | undefined): [number, number] {
  const end = max ?? 0;
  if (spanSeconds !== undefined) return [end - spanSeconds, end];
  const start = min ?? end;
  return end - start < 10 ? [end - 10, end] : [start, end];
}

function valueRange(
  { min, max }: { readonly min: number | null; readonly max: number | null },
  isZoomed: boolean,
): [number, number] {
  const top = max !== null && max > 0 ? max : 1;
  if (!isZoomed || min === null) return [0, top * 1.1];
  // A tenth of the value at least, so that a calm heap looks calm.
  const room = Math.max((top - min) * 0.25, top * 0.1);
  return [Math.max(0, min - room), top + room];
}

/** Seconds only where the axis steps by them. */
function timeText(atSeconds: number, stepSeconds: number): string {
  const text = clockText(atSeconds * 1000);
  return stepSeconds < 60 ? text : text.slice(0, 5);
}

function valueText(value: number | null | undefined, text: (value: number) => string): string {
  return value === null || value === undefined ? "–" : text(value);
}
