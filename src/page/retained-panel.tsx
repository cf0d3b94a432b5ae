// What was closed and is still referred to, by the labels under which a heap snapshot shows it.

import type { JSX } from "preact";
import { countText, kindText, spanText } from "./format.ts";
import type { PageState } from "./page-state.ts";
import { Panel, Table } from "./panel.tsx";

const columns = [
  { label: "Object" },
  { label: "Kind" },
  { label: "Was open", isNumber: true },
  { label: "Closed for", isNumber: true },
];

/** The retained objects, the longest closed first. */
export function RetainedPanel({ state }: { readonly state: PageState }): JSX.Element {
  const now = state.now.value;
  const rows = now?.retained ?? [];
  const all = Object.values(now?.kinds ?? {}).reduce((sum, { retained }) => sum + retained, 0);
  return (
    <Panel
      title="Retained objects"
      id="retained"
      aside={all > rows.length ? `the first ${rows.length} of ${countText(all)}` : countText(all)}
    >
      {rows.length === 0 ? (
        <p class="empty">None. What was closed for 35 seconds and survives four major collections would stand here.</p>
      ) : (
        <Table caption="Retained objects" columns={columns}>
          {rows.map(({ label, kind, openForMs, closedForMs }) => (
            <tr key={label}>
              <th scope="row">
                <code>{label}</code>
              </th>
              <td>{kindText(kind)}</td>
              <td class="number">{spanText(openForMs / 1000)}</td>
              <td class="number">{spanText(closedForMs / 1000)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}
