// The page as a whole: who may see what, and in which order. Parts read the state by themselves.

import type { JSX } from "preact";
import { Actions } from "./actions.tsx";
import { ArrivalsPanel } from "./arrivals-panel.tsx";
import { Charts } from "./charts.tsx";
import { Figures } from "./figures.tsx";
import { LedgersPanel } from "./ledgers-panel.tsx";
import { Login } from "./login.tsx";
import { NoticeLine } from "./notice-line.tsx";
import { OldestPanel } from "./oldest-panel.tsx";
import type { PageState } from "./page-state.ts";
import { RetainedPanel } from "./retained-panel.tsx";
import { SnapshotsPanel } from "./snapshots-panel.tsx";
import { TopBar } from "./top-bar.tsx";
import { TunnelsPanel } from "./tunnels-panel.tsx";
import { VerdictLine } from "./verdict-line.tsx";

/** The page. */
export function App({ state }: { readonly state: PageState }): JSX.Element {
  if (state.link.value.kind === "signed_out") return <Login state={state} />;
  const isKnown = state.now.value !== undefined;
  return (
    <>
      <a class="skip" href="#content">
        Skip to the figures
      </a>
      <TopBar state={state} />
      <main id="content" tabIndex={-1} class={state.link.value.kind === "live" ? "" : "stale"}>
        {isKnown ? <Panels state={state} /> : <Empty state={state} />}
      </main>
    </>
  );
}

function Panels({ state }: { readonly state: PageState }): JSX.Element {
  return (
    <>
      <VerdictLine state={state} />
      <Figures state={state} />
      <Charts state={state} />
      <div class="columns">
        <LedgersPanel state={state} />
        <div class="stack">
          <RetainedPanel state={state} />
          <OldestPanel state={state} />
        </div>
      </div>
      <div class="columns">
        <div class="stack">
          <TunnelsPanel state={state} />
          <Actions state={state} />
        </div>
        <div class="stack">
          <ArrivalsPanel state={state} />
          <SnapshotsPanel state={state} />
        </div>
      </div>
      <NoticeLine state={state} />
    </>
  );
}

function Empty({ state }: { readonly state: PageState }): JSX.Element {
  const link = state.link.value;
  return (
    <p class="empty-page" role="status">
      {link.kind === "waiting" ? `Not connected: ${link.reason}.` : "Waiting for the first figures …"}
    </p>
  );
}
