// Sessions and tunnels as they come and go: the last few, the newest first. Not a live region: it would never be silent.

import type { JSX } from "preact";
import { clockText, spanText } from "./format.ts";
import type { PageState } from "./page-state.ts";
import { Panel } from "./panel.tsx";

/** The list. */
export function ArrivalsPanel({ state }: { readonly state: PageState }): JSX.Element {
  const arrivals = state.arrivals.value;
  return (
    <Panel title="Comings and goings" id="arrivals" aside="the last 40">
      {arrivals.length === 0 ? (
        <p class="empty">No session or tunnel has come or gone yet.</p>
      ) : (
        <ol class="arrivals scroll" tabIndex={0} aria-label="Comings and goings, the newest first">
          {arrivals.map(({ number, atMs, kind, change, name, reason, openMs }) => (
            <li key={number} class={change}>
              <time dateTime={new Date(atMs).toISOString()}>{clockText(atMs)}</time>
              <span class="what">
                <span aria-hidden="true">{change === "opened" ? "+" : "−"}</span> {kind} <b>{name}</b> {change}
                {change === "closed" && (
                  <span class="why">
                    {" "}
                    after {spanText(openMs / 1000)}: {reason.replaceAll("_", " ")}
                  </span>
                )}
              </span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
