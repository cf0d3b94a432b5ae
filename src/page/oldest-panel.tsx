// The oldest open resource of each kind: what is much older than its kind should be was forgotten.

import type { JSX } from "preact";
import { countText, kindText, spanText } from "./format.ts";
import type { PageState } from "./page-state.ts";
import { Panel, Table } from "./panel.tsx";
import { kindsOf } from "./verdict.ts";

const columns = [{ label: "Kind" }, { label: "Open", isNumber: true }, { label: "Oldest", isNumber: true }];

/** Kinds with something open, the oldest first. */
export function OldestPanel({ state }: { readonly state: PageState }): JSX.Element {
  const kinds = state.now.value?.kinds ?? {};
  const rows = kindsOf(kinds)
    .flatMap((kind) => {
      const reading = kinds[kind];
      return reading && reading.live > 0 ? [{ kind, live: reading.live, seconds: reading.oldestSeconds }] : [];
    })
    .toSorted((a, b) => b.seconds - a.seconds);
  return (
    <Panel title="Oldest open resources" id="oldest" aside="by kind">
      {rows.length === 0 ? (
        <p class="empty">Nothing is open.</p>
      ) : (
        <Table caption="Oldest open resources by kind" columns={columns}>
          {rows.map(({ kind, live, seconds }) => (
            <tr key={kind}>
              <th scope="row">{kindText(kind)}</th>
              <td class="number">{countText(live)}</td>
              <td class="number">{spanText(seconds)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}
