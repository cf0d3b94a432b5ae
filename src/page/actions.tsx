// The buttons that cost something. What each will cost stands beside it, from the latest figures, before anybody clicks.

import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { LiveNow } from "../admin/live-frame.ts";
import { bytesText, growthText, msText } from "./format.ts";
import type { PageState } from "./page-state.ts";
import { Panel } from "./panel.tsx";
import { collectGarbage, downloadDiag, takeSnapshot } from "./requests.ts";

/** A major collection takes about so long per byte of heap: 1 ms per MB. */
const gcMsPerByte: number = 1 / (1024 * 1024);

/** The panel. */
export function Actions({ state }: { readonly state: PageState }): JSX.Element | null {
  const now = state.now.value;
  const about = state.about.value;
  if (!now || !about) return null;
  return (
    <Panel title="Look closer" id="actions" aside="each of these costs something">
      <div class="actions">
        <Action
          id="gc"
          label="Collect garbage"
          cost={`Stops the event loop for about ${msText(Math.max(1, now.memory.heapUsed * gcMsPerByte))}: a major collection of ${bytesText(now.memory.heapUsed)} of heap.`}
          run={() => collect(state)}
        />
        <SnapshotAction state={state} now={now} isOffered={about.snapshots} />
        <Action
          id="diag"
          label="Download diag"
          cost="Takes some milliseconds and some tens of KB. Ledgers, metrics and the last log lines, with secrets removed; tunnel names are in it."
          run={() => diag(state)}
        />
      </div>
    </Panel>
  );
}

interface ActionProps {
  readonly id: string;
  readonly label: string;
  readonly cost: string;
  readonly run: () => Promise<void>;
  readonly children?: JSX.Element;
  readonly isDisabled?: boolean;
}

function Action({ id, label, cost, run, children, isDisabled }: ActionProps): JSX.Element {
  const isBusy: Signal<boolean> = useSignal(false);
  const onClick = async (): Promise<void> => {
    if (isBusy.value) return;
    isBusy.value = true;
    await run();
    isBusy.value = false;
  };
  return (
    <div class="action">
      <p class="cost" id={`${id}-cost`}>
        {cost}
      </p>
      {children}
      <button
        type="button"
        aria-describedby={`${id}-cost`}
        aria-disabled={isBusy.value}
        disabled={isDisabled === true}
        onClick={() => void onClick()}
      >
        {isBusy.value ? "Working …" : label}
      </button>
    </div>
  );
}

interface SnapshotActionProps {
  readonly state: PageState;
  readonly now: LiveNow;
  readonly isOffered: boolean;
}

function SnapshotAction({ state, now, isOffered }: SnapshotActionProps): JSX.Element {
  const engine = useSignal("v8");
  const isForced = useSignal(false);
  const { forecast } = now;
  if (!isOffered || !forecast) {
    return (
      <Action
        id="snapshot"
        label="Take heap snapshot"
        cost="This process takes no heap snapshots."
        run={nothing}
        isDisabled
      />
    );
  }
  const { stallMs, diskBytes, memoryBytes, refusal } = forecast;
  const figures = `Stops the event loop for about ${msText(stallMs)}, writes about ${bytesText(diskBytes)} and needs up to ${bytesText(memoryBytes)} of free memory. The file holds secrets.`;
  return (
    <Action
      id="snapshot"
      label="Take heap snapshot"
      cost={refusal === null ? figures : `${figures} It would be refused now: ${refusal}.`}
      run={() => snapshot(state, { engine: engine.value, force: isForced.value })}
    >
      <div class="fields">
        <label>
          Engine{" "}
          <select value={engine.value} onChange={(event) => void (engine.value = event.currentTarget.value)}>
            <option value="v8">v8</option>
            <option value="heapdump">heapdump</option>
          </select>
        </label>
        {refusal !== null && (
          <label>
            <input
              type="checkbox"
              checked={isForced.value}
              onChange={(event) => void (isForced.value = event.currentTarget.checked)}
            />{" "}
            take it nevertheless
          </label>
        )}
      </div>
    </Action>
  );
}

async function collect(state: PageState): Promise<void> {
  const found = state.valueOf(await collectGarbage());
  if (!found) return;
  const { tookMs, before, after } = found.value;
  const change = growthText(after.heapUsed - before.heapUsed);
  state.tell({
    tone: "good",
    text: `Collected in ${msText(tookMs)}: the heap is at ${bytesText(after.heapUsed)} (${change}).`,
  });
}

async function snapshot(
  state: PageState,
  options: { readonly engine: string; readonly force: boolean },
): Promise<void> {
  state.tell({ tone: "quiet", text: "Taking a heap snapshot; the process stands still meanwhile …" });
  const found = state.valueOf(await takeSnapshot(options));
  if (!found) return;
  const { bytes, stallMs } = found.value;
  state.tell({
    tone: "good",
    text: `Snapshot taken: ${bytesText(bytes)}, ${msText(stallMs)} of standstill. It is in the list.`,
  });
  await state.refreshSnapshots();
}

async function diag(state: PageState): Promise<void> {
  const found = state.valueOf(await downloadDiag());
  if (found)
    state.tell({
      tone: "good",
      text: `The archive of ${bytesText(found.value)} is among your downloads. Read it before you send it.`,
    });
}

async function nothing(): Promise<void> {}
