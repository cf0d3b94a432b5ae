// The heap snapshots that are kept: fetched by a link, deleted by two clicks.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { SnapshotEntry } from "../leaks/snapshot-entry.ts";
import { bytesText, clockText, countText, msText } from "./format.ts";
import type { PageState } from "./page-state.ts";
import { Panel, Table } from "./panel.tsx";
import { removeSnapshot, snapshotPath } from "./requests.ts";

const columns = [
  { label: "Taken" },
  { label: "How" },
  { label: "Size", isNumber: true },
  { label: "Standstill", isNumber: true },
  { label: "File" },
];

/** The list, the newest first; nothing where the process takes none. */
export function SnapshotsPanel({ state }: { readonly state: PageState }): JSX.Element | null {
  if (state.about.value?.snapshots !== true) return null;
  const entries = state.snapshots.value ?? [];
  return (
    <Panel
      title="Heap snapshots"
      id="snapshots"
      aside={`${countText(entries.length)} kept; the newest five, for a week`}
    >
      {entries.length === 0 ? (
        <p class="empty">None is kept.</p>
      ) : (
        <Table caption="Heap snapshots" columns={columns}>
          {entries.toReversed().map((entry) => (
            <Row key={entry.id} state={state} entry={entry} />
          ))}
        </Table>
      )}
    </Panel>
  );
}

function Row({ state, entry }: { readonly state: PageState; readonly entry: SnapshotEntry }): JSX.Element {
  const isAsked = useSignal(false);
  const { id, takenAtMs, engine, trigger, bytes, stallMs } = entry;
  const taken = `${new Date(takenAtMs).toISOString().slice(5, 10)} ${clockText(takenAtMs)}`;
  const onDelete = (): void => {
    if (isAsked.value) void remove(state, id);
    else isAsked.value = true;
  };
  return (
    <tr>
      <th scope="row">{taken}</th>
      <td>
        {engine}, {trigger}
      </td>
      <td class="number">{bytesText(bytes)}</td>
      <td class="number">{msText(stallMs)}</td>
      <td class="buttons">
        <a class="button small" href={snapshotPath(id)} download aria-label={`Download the snapshot of ${taken}`}>
          Download
        </a>
        <button
          type="button"
          class={isAsked.value ? "small danger" : "small"}
          aria-label={`${isAsked.value ? "Really delete" : "Delete"} the snapshot of ${taken}`}
          onClick={onDelete}
          onBlur={() => void (isAsked.value = false)}
        >
          {isAsked.value ? "Really delete" : "Delete"}
        </button>
      </td>
    </tr>
  );
}

async function remove(state: PageState, id: string): Promise<void> {
  const done = state.valueOf(await removeSnapshot(id));
  if (done) state.tell({ tone: "good", text: "The snapshot was deleted." });
  await state.refreshSnapshots();
}
