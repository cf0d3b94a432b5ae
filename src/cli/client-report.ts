// What the client says while it runs: JSON events for scripts, or plain lines for logs. status-panel.ts is the third
// way, for terminals. The events' names and keys are what scripts rely on.

import type { RequestInfo } from "../assemble/request-info.ts";
import type { CaissonTunnel, TunnelChanges } from "../assemble/connect.ts";
import type { Disconnection, TunnelHealth } from "../client/observer.ts";
import type { Output } from "./output.ts";
import { formatMs } from "./quantities.ts";

/** A tunnel that stands. */
export type StandingTunnel = Pick<CaissonTunnel, "name" | "url" | "direct" | "target">;
/** A finished request; status 0 if it had no answer. */
export type FinishedRequest = Pick<RequestInfo, "method" | "path" | "status" | "ms"> &
  Partial<Pick<RequestInfo, "traceId" | "spanId">>;

/** A tunnel that cannot be had any more, while others go on. */
export interface LostTunnel {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

/** What reading the configuration again has changed. */
export type Reloaded = TunnelChanges;

/** Hears what happens to a client and tells people or scripts. */
export interface ClientReporter {
  tunnel(facts: StandingTunnel): void;
  request(facts: FinishedRequest): void;
  disconnected(facts: Disconnection): void;
  /** Something worth knowing that is no error, for instance that the first attempt failed and another follows. */
  notice(text: string): void;
  /** A signal asked for the end; requests in flight may finish. */
  stopping(): void;
  /** Nothing more will be told. */
  close(): void;
}

/** Hears besides what only happens to clients with several tunnels. */
export interface TunnelsReporter extends ClientReporter {
  /** One of them is gone for good. */
  lost(facts: LostTunnel): void;
  /** One goes out of service, or comes back. */
  health(facts: TunnelHealth): void;
  /** The configuration was read again. */
  reloaded(facts: Reloaded): void;
}

/** One JSON object per line on stdout. */
export class JsonReport implements TunnelsReporter {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  tunnel({ name, url, direct, target }: StandingTunnel): void {
    this.#output.event({ event: "tunnel", name, url, direct: { url: direct.url, host: direct.host }, target });
  }

  request({ method, path, status, ms, traceId, spanId }: FinishedRequest): void {
    const trace = { trace_id: traceId, span_id: spanId };
    this.#output.event({ event: "request", method, path, status, ms: roundMs(ms), ...trace });
  }

  disconnected({ reason, retryMs }: Disconnection): void {
    this.#output.event({ event: "disconnected", reason, retryMs: Math.round(retryMs) });
  }

  lost({ name, code, message }: LostTunnel): void {
    this.#output.event({ event: "lost", name, code, message });
  }

  health({ name, target, inService, why }: TunnelHealth): void {
    this.#output.event({ event: "health", name: name ?? "", target, inService, why });
  }

  reloaded({ added, removed, changed }: Reloaded): void {
    this.#output.event({ event: "reloaded", added, removed, changed });
  }

  notice(text: string): void {
    this.#output.note(text);
  }

  stopping(): void {
    this.#output.note(stoppingText);
  }

  close(): void {
    // Nothing is held.
  }
}

/** One plain line per event: tunnels and requests on stdout, the rest on stderr. */
export class LineReport implements TunnelsReporter {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  tunnel({ url, direct, target }: StandingTunnel): void {
    this.#output.line(`${url} -> ${target}`);
    const word = hostWord(direct.url);
    this.#output.line(`without DNS: ${direct.url}${word === undefined ? "" : ` with ${word}: ${direct.host}`}`);
  }

  request(facts: FinishedRequest): void {
    this.#output.line(requestLine(facts));
  }

  disconnected({ message, retryMs }: Disconnection): void {
    this.#output.note(retryMs > 0 ? `${message}; next attempt in ${formatMs(retryMs)}` : message);
  }

  lost({ message }: LostTunnel): void {
    this.#output.note(message);
  }

  health(facts: TunnelHealth): void {
    this.#output.note(healthLine(facts));
  }

  reloaded({ added, removed, changed }: Reloaded): void {
    this.#output.note(`read the tunnels again: ${added} added, ${removed} removed, ${changed} changed`);
  }

  notice(text: string): void {
    this.#output.note(text);
  }

  stopping(): void {
    this.#output.note(stoppingText);
  }

  close(): void {
    // Nothing is held.
  }
}

/** A verdict on a target as one line. */
export function healthLine({ name, target, inService, why }: TunnelHealth): string {
  const what = `${name ?? "a tunnel"} (${target})`;
  return inService ? `${what} is back in service` : `${what} is out of service: ${why}`;
}

/** What the host of a direct address is to a visitor who uses it; undefined for TCP, which has none. */
export function hostWord(directUrl: string): "Host" | "SNI" | undefined {
  if (directUrl.startsWith("tcp:")) return undefined;
  return directUrl.startsWith("tls:") ? "SNI" : "Host";
}

/** What people read after the first signal. */
export const stoppingText = "stopping: requests in flight may finish; a second signal ends them";

/** A request as one line: `GET /path 200 12 ms`. */
export function requestLine({ method, path, status, ms }: FinishedRequest): string {
  return `${method} ${path} ${status === 0 ? "-" : status} ${formatMs(ms)}`;
}

function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
