// Every connection to one target: those in use and those kept for the next request, the one used last first.
// It owns them all until their sockets are closed, bounds how many wait, and finds them by identity, never by key.

import { performance } from "node:perf_hooks";
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { connect as connectTls, createSecureContext } from "node:tls";
import { ResponseHead } from "../http1/head.ts";
import { responseHeadLimits } from "../http1/limits.ts";
import type { Resource } from "../lifecycle/resource.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import type { ClientLimits } from "./limits.ts";
import type { ConnectionUser } from "./local-connection.ts";
import { LocalConnection } from "./local-connection.ts";
import type { Target } from "./target.ts";

/** What a pool works with. */
export interface LocalPoolOptions {
  readonly target: Target;
  readonly limits: ClientLimits;
  readonly runtime: Runtime;
}

/** The certificates of one target, read once: parsing the system's authorities takes milliseconds. */
class TargetTls implements Resource {
  readonly kind = "tls_context";
  readonly openedAtMs: number = performance.now();
  readonly context: SecureContext;
  /** The newest ticket, so that the next connection shortens its handshake. */
  ticket: Buffer | undefined;

  constructor(target: Target) {
    const ca = target.ca;
    this.context = createSecureContext(
      ca === undefined ? {} : { ca: typeof ca === "string" || Buffer.isBuffer(ca) ? ca : [...ca] },
    );
  }
}

/** The connections to one target. */
export class LocalPool {
  readonly target: Target;
  readonly limits: ClientLimits;
  readonly runtime: Runtime;
  /** Filled and read within one call by the readers of all connections. */
  readonly responseHead: ResponseHead = new ResponseHead(responseHeadLimits);
  readonly #live = new Set<LocalConnection>();
  readonly #idle: LocalConnection[] = [];
  #tls: TargetTls | undefined;
  #closed = false;
  /** It leads nowhere any more: what is open may finish, nothing is kept. */
  #retired = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: LocalPoolOptions) {
    this.target = options.target;
    this.limits = options.limits;
    this.runtime = options.runtime;
  }

  /** Connections whose sockets are not closed yet. */
  get live(): ReadonlySet<LocalConnection> {
    return this.#live;
  }

  /** How many of them wait for a request. */
  get idle(): number {
    return this.#idle.length;
  }

  /** 1 while certificates are held for the target, else 0. */
  get tlsContexts(): number {
    return this.#tls ? 1 : 0;
  }

  /**
   * A connection for one exchange: the one used last if it is good for it, else a new one. A request that may not be
   * repeated takes no connection that has idled for so long that the target may just be closing it.
   */
  acquire(user: ConnectionUser, repeatable: boolean): LocalConnection {
    const last = this.#idle.at(-1);
    if (last && (repeatable || performance.now() - last.idleSinceMs < this.limits.freshIdleMs)) {
      this.#idle.pop();
      last._take(user);
      return last;
    }
    return this.connect(user);
  }

  /** A new connection, whatever idles. */
  connect(user: ConnectionUser): LocalConnection {
    const connection = new LocalConnection(this, this.#dial(), user);
    this.#live.add(connection);
    this.runtime.events.opened(connection);
    if (this.#closed) connection.close("pool_closed");
    return connection;
  }

  /** Takes a connection back after a complete exchange, to be used again. `keepAliveMs` is the target's offer, -1 if none. */
  release(connection: LocalConnection, keepAliveMs: number): void {
    // A target that keeps it for n seconds closes it when they are over: what is sent in the last moment may be lost.
    if (!this.#live.has(connection)) {
      // Its target was exchanged meanwhile: it belongs to a pool that has retired.
      connection.close("not_kept");
      return;
    }
    const offerMs = keepAliveMs < 0 ? Infinity : keepAliveMs - Math.min(1000, keepAliveMs / 2);
    const idleMs = Math.min(this.limits.poolIdleMs, offerMs);
    if (this.#closed || this.#retired || idleMs <= 0) {
      connection.close("not_kept");
      return;
    }
    connection._idle(idleMs);
    this.#idle.push(connection);
    if (this.#idle.length > this.limits.poolSize) this.#idle[0]?.close("pool_full");
  }

  /** Keeps nothing from now on; `onEmpty` is called, maybe at once, when what is in use has ended. */
  retire(onEmpty: () => void): void {
    this.#retired = true;
    this.#onEmpty = onEmpty;
    for (let last = this.#idle.at(-1); last; last = this.#idle.at(-1)) last.close("retired");
    this.#announceEmpty();
  }

  /** Closes every connection, used or not; `onEmpty` is called, maybe at once, when the last socket is closed. */
  close(onEmpty: () => void): void {
    this.#closed = true;
    this.#onEmpty = onEmpty;
    for (const connection of this.#live) connection.close("pool_closed");
    this.#closeTls();
    this.#announceEmpty();
  }

  /** @internal A connection has been closed: it is no candidate any more, though its socket may take a moment. */
  _closing(connection: LocalConnection): void {
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** @internal Its socket is closed. */
  _gone(connection: LocalConnection, reason: string): void {
    if (!this.#live.delete(connection)) return;
    this.runtime.events.closed(connection, reason);
    this.#announceEmpty();
  }

  #announceEmpty(): void {
    const onEmpty = this.#onEmpty;
    if (this.#live.size > 0 || !onEmpty) return;
    this.#onEmpty = undefined;
    this.#closed = true;
    this.#closeTls();
    onEmpty();
  }

  #closeTls(): void {
    const tls = this.#tls;
    this.#tls = undefined;
    if (tls) this.runtime.events.closed(tls, "pool_closed");
  }

  #dial(): Socket {
    const { host, port, tls, serverName, insecure } = this.target;
    // Half-open, because a pipe keeps its other direction when the target ends one.
    const address = { host, port, noDelay: true, allowHalfOpen: true, autoSelectFamily: true };
    if (!tls) return connect(address);
    const held = this.#openTls();
    const socket = connectTls({
      ...address,
      secureContext: held.context,
      rejectUnauthorized: !insecure,
      ALPNProtocols: ["http/1.1"],
      ...(serverName === "" ? {} : { servername: serverName }),
      ...(held.ticket === undefined ? {} : { session: held.ticket }),
    });
    socket.setNoDelay(true);
    socket.on("session", (ticket: Buffer) => {
      held.ticket = ticket;
    });
    return socket;
  }

  #openTls(): TargetTls {
    if (this.#tls) return this.#tls;
    const held = new TargetTls(this.target);
    this.#tls = held;
    this.runtime.events.opened(held);
    return held;
  }
}
