// The row of figures that an operator reads first.

import type { JSX } from "preact";
import type { LiveHeap, LiveNow } from "../admin/live-frame.ts";
import { bytesText, countText, growthText, msText, percentText, plural, shortText, spanText } from "./format.ts";
import type { PageState } from "./page-state.ts";

/** The row. */
export function Figures({ state }: { readonly state: PageState }): JSX.Element | null {
  const now = state.now.value;
  if (!now) return null;
  const { traffic, kinds, loop, retained } = now;
  const streams = (kinds.stream?.live ?? 0) > 0 ? plural(kinds.stream?.live ?? 0, "stream") : "no stream";
  return (
    <section aria-label="Key figures">
      <dl class="figures">
        <Figure
          label="Sessions"
          value={countText(kinds.session?.live)}
          note={`${countText(kinds.session?.opened)} since the start`}
        />
        <Figure label="Tunnels" value={countText(now.tunnels.total)} note={`${streams} open`} />
        <Figure
          label="Requests / s"
          value={shortText(traffic.requestsPerSecond)}
          note={`${shortText(traffic.failuresPerSecond)} failed, ${countText(kinds.exchange?.live)} in flight`}
          isNoteBad={traffic.failuresPerSecond > 0}
        />
        <Figure
          label="First byte, p99"
          value={msText(traffic.p99Ms)}
          note={`p50 ${msText(traffic.p50Ms)}, last 10 s`}
        />
        <Figure
          label="Carried / s"
          value={bytesText(traffic.bytesInPerSecond + traffic.bytesOutPerSecond)}
          note={`${bytesText(traffic.bytesInPerSecond)} in, ${bytesText(traffic.bytesOutPerSecond)} out`}
        />
        <HeapFigure now={now} heap={state.heap.value} />
        <Figure
          label="Event loop, p99"
          value={msText(loop?.p99Ms)}
          note={loop ? `late; ${percentText(loop.busy)} busy` : "not measured yet"}
        />
        <Figure
          label="Retained"
          value={countText(retainedCount(now))}
          note={retained.length === 0 ? "objects after close" : "closed, still referred to"}
          isBad={retainedCount(now) > 0}
        />
      </dl>
    </section>
  );
}

function HeapFigure({ now, heap }: { readonly now: LiveNow; readonly heap: LiveHeap | undefined }): JSX.Element {
  const after = heap?.points.at(-1)?.[1];
  const note =
    heap === undefined || heap.bytesPerHour === null
      ? `${plural(now.majorGcs, "major GC")}: no slope yet`
      : `${growthText(heap.bytesPerHour)}/h over ${spanText(heap.slopeMs / 1000)}`;
  return <Figure label="Heap after GC" value={bytesText(after)} note={note} />;
}

interface FigureProps {
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly isBad?: boolean;
  /** The note tells of what is wrong. */
  readonly isNoteBad?: boolean;
}

function Figure({ label, value, note, isBad, isNoteBad }: FigureProps): JSX.Element {
  return (
    <div class={isBad === true ? "figure bad" : "figure"}>
      <dt>{label}</dt>
      <dd class="value">{value}</dd>
      <dd class={isNoteBad === true ? "note bad" : "note"}>{note}</dd>
    </div>
  );
}

/** Retained objects of all kinds. */
function retainedCount({ kinds }: LiveNow): number {
  return Object.values(kinds).reduce((sum, { retained }) => sum + retained, 0);
}
