// What the client tells whoever runs it: the command line, or a program through the public API. Distinct from
// TunnelEvents, which are about resources; these are the few facts that a person at the terminal wants.

import type { CaissonError } from "../lifecycle/errors.ts";
import type { ExchangeOutcome, ExchangeView } from "../lifecycle/events.ts";
import type { TunnelKind } from "../wire/control.ts";

/** A tunnel that stands. */
export interface TunnelFacts {
  readonly kind: TunnelKind;
  readonly name: string;
  readonly url: string;
  /** An address that works without DNS, and the Host to send there. */
  readonly direct: { readonly url: string; readonly host: string };
  /** For people, such as `http://localhost:8000`. */
  readonly target: string;
  /** The server it stands on, for people. */
  readonly server: string;
  /** `first` on this server; `again` after a reconnect; `renamed` if the server gave another name than before. */
  readonly standing: "first" | "again" | "renamed";
}

/** A session that was lost, or a login that failed, and what follows. */
export interface Disconnection {
  readonly server: string;
  /** A word: a GOAWAY reason, how a transport was lost, or the result of a login. */
  readonly reason: string;
  /** For people. */
  readonly message: string;
  /** When the next login is tried, in milliseconds from now. */
  readonly retryMs: number;
}

/** A tunnel that cannot be had, while the client goes on with its others. */
export interface RefusedTunnel {
  /** The name asked for; undefined for a random one. */
  readonly name: string | undefined;
  readonly target: string;
  readonly server: string;
  readonly error: CaissonError;
}

/** A verdict of the checks of a target. */
export interface TunnelHealth {
  /** The name asked for; undefined for a random one. */
  readonly name: string | undefined;
  readonly target: string;
  /** False while visitors are turned away. */
  readonly inService: boolean;
  /** What was wrong last, in words; empty if nothing was. */
  readonly why: string;
}

/** Called by the client; must not throw. */
export interface ClientObserver {
  /** A tunnel stands, for the first time or again. */
  tunnel(facts: TunnelFacts): void;
  /** The server closed one tunnel of several for good; the others stay. */
  tunnelClosed(facts: TunnelFacts, reason: string): void;
  /** A server refused one tunnel of several for good; the others stay. */
  tunnelRefused(what: RefusedTunnel): void;
  /** A tunnel goes out of service, or comes back. */
  health(what: TunnelHealth): void;
  /** No session with this server for now; it will be tried again. */
  disconnected(what: Disconnection): void;
  /** A request is over. `failure` says in words what went wrong at the target; empty if nothing did. */
  request(exchange: ExchangeView, outcome: ExchangeOutcome, failure: string): void;
  /** The client has given up: nothing is tried any more. Called at most once. */
  failed(error: CaissonError): void;
}

function ignore(): void {}

/** Hears everything, does nothing. */
export const noObserver: ClientObserver = Object.freeze({
  tunnel: ignore,
  tunnelClosed: ignore,
  tunnelRefused: ignore,
  health: ignore,
  disconnected: ignore,
  request: ignore,
  failed: ignore,
});
