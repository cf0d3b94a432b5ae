// From what a user types after --attach to the WebSocket of an inspector: a full URL as Node prints it is taken as it is,
// of an address alone the first target is asked for.

import { CaissonError } from "../../../src/lifecycle/errors.ts";

const askMs = 10_000;

/**
 * The inspector's WebSocket URL.
 * @param given `ws://127.0.0.1:9229/UUID`, `ws://127.0.0.1:9229`, `http://127.0.0.1:9229` or `127.0.0.1:9229`
 * @throws E_USAGE if it is no address, E_GATE if no inspector answers there
 */
export async function inspectorUrl(given: string): Promise<string> {
  const url = addressOf(given);
  // Documents and shells write "..." for the part that nobody remembers.
  if (url.protocol === "ws:" && !["/", "/..."].includes(url.pathname)) return url.href;
  return firstTarget(url.host);
}

/** The host and port of an address that {@link inspectorUrl} takes: all of it that may be told. Throws E_USAGE. */
export function inspectorHost(given: string): string {
  return addressOf(given).host;
}

function addressOf(given: string): URL {
  const text = /^[a-z]+:\/\//u.test(given) ? given : `ws://${given}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["ws:", "http:"].includes(url.protocol) || url.port === "") {
    throw new CaissonError("E_USAGE", `--attach takes an inspector such as ws://127.0.0.1:9229/ID, not ${given}`);
  }
  return url;
}

async function firstTarget(host: string): Promise<string> {
  try {
    const response = await fetch(`http://${host}/json/list`, { signal: AbortSignal.timeout(askMs) });
    const targets: unknown = await response.json();
    const found: unknown = Array.isArray(targets) ? targets[0] : undefined;
    if (typeof found === "object" && found !== null && "webSocketDebuggerUrl" in found) {
      return String(found.webSocketDebuggerUrl);
    }
  } catch (error) {
    const { port } = new URL(`http://${host}`);
    throw new CaissonError(
      "E_GATE",
      `no inspector answers at ${host}; start the server with --inspect=127.0.0.1:${port}`,
      {
        cause: error,
      },
    );
  }
  throw new CaissonError("E_GATE", `the inspector at ${host} has no target`);
}
