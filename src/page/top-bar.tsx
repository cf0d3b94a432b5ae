// The bar at the top: which process this is, whether the page still hears from it, the log level, and the way out.

import type { JSX, TargetedEvent } from "preact";
import { isLogLevel, logLevels } from "../observe/log-level.ts";
import { clockText, spanText } from "./format.ts";
import type { LinkState } from "./live-link.ts";
import type { PageState } from "./page-state.ts";
import { setLogLevel } from "./requests.ts";

/** The bar. */
export function TopBar({ state }: { readonly state: PageState }): JSX.Element {
  const about = state.about.value;
  const now = state.now.value;
  return (
    <header class="top">
      <Mark />
      <h1>Caisson {about && <span class="role">{about.role}</span>}</h1>
      <p class="facts">
        {about && <span>v{about.version}</span>}
        {about && <span>Node {about.node}</span>}
        {about && <span>pid {about.pid}</span>}
        {now && <span>up {spanText(now.uptimeSeconds)}</span>}
        {now && now.unready !== null && <span class="bad">not ready: {now.unready}</span>}
      </p>
      <Link state={state} />
      {now && now.logLevel !== null && <LogLevelField state={state} level={now.logLevel} />}
      <button type="button" onClick={() => void state.signOut()}>
        Sign out
      </button>
    </header>
  );
}

/** The icon. */
function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0f766e" />
      <path d="M5 24h22" stroke="#99f6e4" stroke-width="2.5" stroke-linecap="round" />
      <path d="M9 24v-5a7 7 0 0 1 14 0v5" fill="none" stroke="#ffffff" stroke-width="2.5" />
      <path d="M13.5 24v-4a2.5 2.5 0 0 1 5 0v4z" fill="#99f6e4" />
    </svg>
  );
}

function Link({ state }: { readonly state: PageState }): JSX.Element {
  const link = state.link.value;
  return (
    <p class={`link ${link.kind}`}>
      <span class="dot" aria-hidden="true" />
      <span role="status">{linkText(link)}</span>
      {link.kind === "waiting" && (
        <button type="button" class="small" onClick={() => state.reconnect()}>
          Connect now
        </button>
      )}
    </p>
  );
}

function linkText(link: LinkState): string {
  switch (link.kind) {
    case "live":
      return "live";
    case "connecting":
      return "connecting";
    case "waiting":
      return `${link.reason}; next attempt at ${clockText(link.retryAtMs)}`;
    case "hidden":
      return "paused while hidden";
    default:
      return "signed out";
  }
}

function LogLevelField({ state, level }: { readonly state: PageState; readonly level: string }): JSX.Element {
  const onChange = (event: TargetedEvent<HTMLSelectElement>): void => {
    const chosen = event.currentTarget.value;
    if (isLogLevel(chosen)) void change(state, chosen);
  };
  return (
    <label class="level">
      Log level
      <select value={level} onChange={onChange}>
        {logLevels.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

async function change(state: PageState, level: (typeof logLevels)[number]): Promise<void> {
  const done = state.valueOf(await setLogLevel(level));
  if (done) state.tell({ tone: "good", text: `The log level is ${level}, until the process ends.` });
}
