// Where a server is: the URL a user types for it, checked once, and whether a token may travel there.
// Pure. The token itself never passes through here.

import { CaissonError } from "../lifecycle/errors.ts";
import { isMistyped } from "../tokens/token-text.ts";
import { isLoopback } from "./target.ts";

/** A checked server. */
export interface ServerAddress {
  /** For people and events: `wss://tunnel.example.com`. */
  readonly text: string;
  /** Where the session is opened. */
  readonly connectUrl: string;
  /** TLS protects the session. */
  readonly secure: boolean;
  /** The host is loopback, so nobody on a network can read along. */
  readonly loopback: boolean;
}

/** Where clients log in, below a server's own address. */
const connectPath = "/_caisson/connect";

/** Reads `ws://host:port`, `wss://host`, or the same with http and https. Throws E_USAGE, saying what to write instead. */
export function parseServerAddress(text: string): ServerAddress {
  const forms = "write it like wss://tunnel.example.com or ws://127.0.0.1:8080";
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  if (!withScheme || !URL.canParse(text)) {
    throw new CaissonError("E_USAGE", `the server ${JSON.stringify(text.slice(0, 80))} is no URL: ${forms}`);
  }
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    throw new CaissonError(
      "E_USAGE",
      "a server URL holds no user name or password: give the token in a file or CAISSON_TOKEN",
    );
  }
  const secure = url.protocol === "wss:" || url.protocol === "https:";
  if (!secure && url.protocol !== "ws:" && url.protocol !== "http:") {
    throw new CaissonError("E_USAGE", `the server's scheme ${url.protocol} is unknown: ${forms}`);
  }
  if (url.search !== "" || url.hash !== "") {
    throw new CaissonError("E_USAGE", `the server URL has a query or a fragment: ${forms}`);
  }
  const host = url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
  const base = `${secure ? "wss" : "ws"}://${url.host}${url.pathname.replace(/\/+$/, "")}`;
  return { text: base, connectUrl: base + connectPath, secure, loopback: isLoopback(host) };
}

/** Throws E_USAGE when a token would cross a network in the clear without the user having asked for that. */
export function checkTokenTransport(server: ServerAddress, plaintext: boolean): void {
  if (server.secure || server.loopback || plaintext) return;
  throw new CaissonError(
    "E_USAGE",
    `the token would be readable on the way to ${server.text}: use wss://, or allow it with --plaintext`,
  );
}

/** Refuses what is no token before it is put into a header field. Throws E_AUTH; the message does not repeat the token. */
export function checkToken(token: string): void {
  if (!/^[A-Za-z0-9._~+/=-]{1,512}$/.test(token)) {
    throw new CaissonError("E_AUTH", "the token is empty or holds characters that no token has: check the token file");
  }
  if (isMistyped(token)) throw new CaissonError("E_AUTH", "the token is mistyped: its checksum is wrong");
}
