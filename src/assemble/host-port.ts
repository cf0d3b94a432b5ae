// `HOST:PORT` as options and flags write it.

import { CaissonError } from "../lifecycle/errors.ts";

/** An address to listen on. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const pattern = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<host>[a-z0-9.-]+))?:(?<port>\d{1,5})$/iu;

/** Parses `127.0.0.1:8080`, `[::1]:8080`, `:8080` (loopback) or `8080` (loopback). Throws E_USAGE with `what` in its text. */
export function parseHostPort(text: string, what: string): HostPort {
  const groups = pattern.exec(/^\d+$/u.test(text) ? `:${text}` : text)?.groups;
  const port = Number(groups?.["port"]);
  if (!groups || port > 65_535) {
    throw new CaissonError("E_USAGE", `${what} "${text}" is not HOST:PORT; write for instance 127.0.0.1:8080`);
  }
  return { host: groups["v6"] ?? groups["host"] ?? "127.0.0.1", port };
}

/** Whether only this machine can reach the host. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/u.test(host);
}
