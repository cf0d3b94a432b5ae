// The open tunnels.

import type { JSX } from "preact";
import { bytesText, countText, msText, spanText } from "./format.ts";
import type { PageState } from "./page-state.ts";
import { Panel, Table } from "./panel.tsx";

/** All of them, or as many as a frame tells of. */
export function TunnelsPanel({ state }: { readonly state: PageState }): JSX.Element {
  const { total, rows } = state.now.value?.tunnels ?? { total: 0, rows: [] };
  const isClient = state.about.value?.role === "client";
  const columns = [
    { label: "Name" },
    { label: "Type" },
    { label: isClient ? "Target" : "Client" },
    { label: "Open for", isNumber: true },
    { label: "Requests", isNumber: true },
    { label: "In", title: "Body bytes towards the target", isNumber: true },
    { label: "Out", title: "Body bytes from the target", isNumber: true },
    { label: "Streams", title: "Open now", isNumber: true },
    { label: "Round trip", isNumber: true },
  ];
  return (
    <Panel
      title="Tunnels"
      id="tunnels"
      aside={
        total > rows.length ? `${rows.length} of ${countText(total)}: busy ones, then the newest` : countText(total)
      }
    >
      {rows.length === 0 ? (
        <p class="empty">
          No tunnel is open.{" "}
          {!isClient && (
            <>
              Start one: <code>caisson http 8000 --server URL</code>
            </>
          )}
        </p>
      ) : (
        <Table caption="Open tunnels" columns={columns}>
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row" class="name">
                {row.name}
              </th>
              <td>{row.type}</td>
              <td>{isClient ? row.target : row.clientVersion === "" ? "–" : `v${row.clientVersion}`}</td>
              <td class="number">{spanText(row.sinceMs / 1000)}</td>
              <td class="number">{countText(row.requests)}</td>
              <td class="number">{bytesText(row.bytesIn)}</td>
              <td class="number">{bytesText(row.bytesOut)}</td>
              <td class="number">{countText(row.streams)}</td>
              <td class="number">{row.rttMs > 0 ? msText(row.rttMs) : "–"}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}
