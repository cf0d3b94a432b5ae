// The private listener's connections and the requests in flight on each. It promises that there are never more than so
// many: for a new one, the one that was quiet for longest goes, rather one that waits for nothing.

import type { Socket } from "node:net";

/** Requests of one connection that may be in flight: answers that wait for earlier ones are held in memory. */
const maxPipelined = 4;

/** Owns the sockets from their acceptance to their end. */
export class ConnectionTable {
  readonly #maxConnections: number;
  /** In the order of their last requests. */
  readonly #requests: Map<Socket, Set<AbortController>> = new Map();

  #closing = false;

  constructor(maxConnections: number) {
    this.#maxConnections = maxConnections;
  }

  /** How many connections there are. */
  get size(): number {
    return this.#requests.size;
  }

  /** Requests in flight, on all connections. */
  get inFlight(): number {
    let count = 0;
    for (const requests of this.#requests.values()) count += requests.size;
    return count;
  }

  /** Takes a new connection, and closes another one if there are too many. */
  add(socket: Socket): void {
    if (this.#requests.size >= this.#maxConnections) this.#dropQuietest();
    this.#requests.set(socket, new Set());
    socket.once("close", () => this.#lost(socket));
  }

  /** A request began. Answers what aborts when its connection is lost; undefined if the connection had too many, and is cut. */
  begin(socket: Socket): AbortController | undefined {
    const requests = this.#requests.get(socket);
    if (!requests || requests.size >= maxPipelined) {
      socket.destroy();
      return undefined;
    }
    const gone = new AbortController();
    this.#requests.delete(socket);
    this.#requests.set(socket, requests.add(gone));
    return gone;
  }

  /** The request is over; aborts what still works for it. */
  end(socket: Socket, gone: AbortController): void {
    const requests = this.#requests.get(socket);
    requests?.delete(gone);
    gone.abort();
    if (this.#closing && requests?.size === 0) socket.destroySoon();
  }

  /** Closes every connection as soon as nothing is in flight on it. */
  closeWhenIdle(): void {
    this.#closing = true;
    for (const [socket, requests] of this.#requests) if (requests.size === 0) socket.destroy();
  }

  /** Cuts every connection. */
  cutAll(): void {
    for (const socket of this.#requests.keys()) socket.destroy();
  }

  #lost(socket: Socket): void {
    const requests = this.#requests.get(socket);
    this.#requests.delete(socket);
    for (const gone of requests ?? []) gone.abort();
  }

  #dropQuietest(): void {
    let quietest: Socket | undefined;
    for (const [socket, requests] of this.#requests) {
      quietest ??= socket;
      if (requests.size > 0) continue;
      quietest = socket;
      break;
    }
    if (!quietest) return;
    quietest.destroy();
    // Its close comes later; until then it must not be chosen again.
    this.#lost(quietest);
  }
}
