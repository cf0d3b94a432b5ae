// The charts: traffic and sessions, memory, and the event loop over the last minutes.

import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import type { ChartData } from "./chart.tsx";
import { Chart } from "./chart.tsx";
import { bytesText, countText, growthText, msText, plural, shortText, spanText } from "./format.ts";
import type { SeriesName } from "./history.ts";
import type { PageState } from "./page-state.ts";

const spanSeconds = 300;

/** All of them. */
export function Charts({ state }: { readonly state: PageState }): JSX.Element {
  const last = (...names: readonly SeriesName[]): ((data: ChartData) => void) => {
    return (data) => fillFrom(state, { names, data });
  };
  const rate = (value: number): string => shortText(value);
  return (
    <section aria-label="The last five minutes">
      <div class="charts">
        <Chart
          title="Requests per second"
          note="Failed: a status of 500 and above, or no whole answer."
          lines={[
            { label: "all", color: "--line-1", fill: true },
            { label: "failed", color: "--line-bad" },
          ]}
          text={rate}
          read={last("requests", "failures")}
          spanSeconds={spanSeconds}
          emptyText="Nothing yet"
        />
        <Chart
          title="Time to first byte"
          note="From the end of a request’s head, over the last 10 seconds."
          lines={[
            { label: "p50", color: "--line-1" },
            { label: "p99", color: "--line-2" },
          ]}
          text={msText}
          read={last("p50", "p99")}
          spanSeconds={spanSeconds}
          emptyText="No request was answered yet"
        />
        <Chart
          title="Sessions and tunnels"
          note="Open at the moment."
          lines={[
            { label: "sessions", color: "--line-1", fill: true },
            { label: "tunnels", color: "--line-2" },
          ]}
          text={countText}
          unit="count"
          read={last("sessions", "tunnels")}
          spanSeconds={spanSeconds}
          emptyText="Nothing yet"
        />
        <HeapChart state={state} />
        <Chart
          title="Memory"
          note="Heap used includes garbage; resident is the whole process."
          lines={[
            { label: "resident", color: "--line-2" },
            { label: "heap used", color: "--line-1", fill: true },
          ]}
          text={bytesText}
          unit="bytes"
          read={last("rss", "heapUsed")}
          spanSeconds={spanSeconds}
          emptyText="Nothing yet"
        />
        <Chart
          title="Event-loop delay"
          note="How late the loop was within the last second."
          lines={[
            { label: "p99", color: "--line-1", fill: true },
            { label: "longest", color: "--line-2" },
          ]}
          text={msText}
          read={last("loopP99", "loopMax")}
          spanSeconds={spanSeconds}
          emptyText="Not measured yet"
        />
      </div>
    </section>
  );
}

function HeapChart({ state }: { readonly state: PageState }): JSX.Element {
  const note = useComputed(() => {
    const heap = state.heap.value;
    if (heap === undefined || heap.bytesPerHour === null) return "A slope needs eight major collections over a minute.";
    return `Slope ${growthText(heap.bytesPerHour)} per hour, over ${plural(heap.slopePoints, "collection")} in ${spanText(heap.slopeMs / 1000)}.`;
  });
  const read = (data: ChartData): void => {
    const [times = [], bytes = []] = data;
    const points = state.heap.value?.points ?? [];
    const atMs = state.heapAtMs.value;
    for (const [index, [agoMs, value]] of points.entries()) {
      times[index] = (atMs - agoMs) / 1000;
      bytes[index] = value;
    }
    // The axis goes on to now, which tells how long ago the last collection was.
    times[points.length] = (state.now.value?.atMs ?? atMs) / 1000;
    bytes[points.length] = null;
    times.length = points.length + 1;
    bytes.length = points.length + 1;
  };
  return (
    <Chart
      title="Heap after major GCs"
      lines={[{ label: "latest", color: "--line-1", points: true }]}
      text={bytesText}
      unit="bytes"
      isZoomed
      read={read}
      emptyText="No major collection was seen yet"
      note={note}
    />
  );
}

function fillFrom(state: PageState, to: { readonly names: readonly SeriesName[]; readonly data: ChartData }): void {
  // Reading it subscribes the chart to frames: rings are no signals.
  if (state.revision.value === 0) return;
  const [times = [], ...values] = to.data;
  state.history.times.copyTo(times);
  for (const [index, name] of to.names.entries()) {
    const target = values[index];
    if (target) state.history.series[name].copyTo(target);
  }
}
