// The three ledgers of every kind, side by side. Which two disagree names the class of a leak; the columns say so.

import type { JSX } from "preact";
import type { LiveKind } from "../admin/live-frame.ts";
import { countText, kindText } from "./format.ts";
import type { PageState } from "./page-state.ts";
import { Panel, Table } from "./panel.tsx";
import type { Finding } from "./verdict.ts";
import { kindsOf } from "./verdict.ts";

const columns = [
  { label: "Kind" },
  { label: "Opened", title: "Opened since the start", isNumber: true },
  { label: "Closed", title: "Closed since the start", isNumber: true },
  { label: "Live", title: "Opened minus closed: grows when something is never closed", isNumber: true },
  { label: "Held", title: "What containers hold: differs from live when an entry was not deleted", isNumber: true },
  { label: "Uncollected", title: "Closed, and not yet taken by the garbage collector", isNumber: true },
  {
    label: "Retained",
    title: "Closed for long, and survived several major collections: something refers to it",
    isNumber: true,
  },
  { label: "Lost", title: "Collected although nobody had closed it", isNumber: true },
];

/** The ledgers. */
export function LedgersPanel({ state }: { readonly state: PageState }): JSX.Element {
  const kinds = state.now.value?.kinds ?? {};
  const findings = state.findings.value;
  return (
    <Panel title="Ledgers" id="ledgers" aside="opened − closed = live = held; retained and lost are zero">
      <Table caption="Ledgers by kind of resource" columns={columns}>
        {kindsOf(kinds).map((kind) => {
          const reading = kinds[kind];
          return (
            reading && (
              <Row
                key={kind}
                kind={kind}
                reading={reading}
                findings={findings.filter((found) => found.kind === kind)}
              />
            )
          );
        })}
      </Table>
    </Panel>
  );
}

interface RowProps {
  readonly kind: string;
  readonly reading: LiveKind;
  readonly findings: readonly Finding[];
}

function Row({ kind, reading, findings }: RowProps): JSX.Element {
  const isBad = (column: Finding["column"]): boolean => findings.some((found) => found.column === column);
  const sampled = reading.watchedOneIn > 1;
  return (
    <tr class={reading.opened === 0 ? "idle" : ""}>
      <th scope="row">
        {kindText(kind)}
        {sampled && (
          <span class="mark" title={`The collector's ledger follows one in ${reading.watchedOneIn}`}>
            {" "}
            1:{reading.watchedOneIn}
          </span>
        )}
      </th>
      <Cell value={reading.opened} />
      <Cell value={reading.closed} />
      <Cell value={reading.live} />
      <Cell value={reading.held} isBad={isBad("held")} />
      <Cell value={reading.uncollected} />
      <Cell value={reading.retained} isBad={isBad("retained")} />
      <Cell value={reading.collectedUnclosed} isBad={isBad("collectedUnclosed")} />
    </tr>
  );
}

function Cell({ value, isBad }: { readonly value: number | null; readonly isBad?: boolean }): JSX.Element {
  return <td class={`number${value === 0 ? " zero" : ""}${isBad === true ? " fault" : ""}`}>{countText(value)}</td>;
}
