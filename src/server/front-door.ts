// Where visitors come in: the listening sockets, the limits that hold before a byte is read, and the connections that
// have not arrived yet. What has arrived is handed to the owner; nothing of it is kept here but its place in the quota.

import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import type { SecureContext } from "node:tls";
import { CaissonError, systemCodeOf } from "../lifecycle/errors.ts";
import { listenersOf } from "../lifecycle/listener.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import { emptyBuffer } from "../mux/outgoing.ts";
import type { ArrivalOwner, PassingConnection } from "./arrival.ts";
import { Arrival } from "./arrival.ts";
import type { Edge } from "./edge.ts";
import type { SecureContexts } from "./secure-contexts.ts";
import { plainAddress } from "./trusted-proxies.ts";
import type { AcceptedConnection, Door } from "./visitor-owner.ts";
import { VisitorQuota } from "./visitor-quota.ts";

/**
 * Connections that may wait to be accepted; the system cuts it to its own limit. When all clients of a restarted server
 * return at once, a connection that finds no place there hangs for seconds without an answer.
 */
const backlog = 16_384;

/** An address to listen on. */
export interface ListenAddress {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** What is spoken there; default `http`. */
  readonly scheme?: "http" | "https";
  /** Who comes in there; default `everybody`. */
  readonly door?: Door;
}

/** Who takes what comes in. */
export interface FrontDoorOwner {
  onVisitor(accepted: AcceptedConnection): void;
  /** The tunnel that TLS connections for this server name are led to as they are; undefined if they are not. */
  passedTo(serverName: string): string | undefined;
  onPassing(passing: PassingConnection): void;
}

/** Options of {@link FrontDoor}. */
export interface FrontDoorOptions {
  readonly edge: Edge;
  readonly owner: FrontDoorOwner;
  /** Certificates; undefined without TLS. Owned from here on. */
  readonly tls: SecureContexts | undefined;
  /** Trusted peers begin with a PROXY header. */
  readonly proxyProtocol: boolean;
}

/** The listening sockets of one server, and what is on its way in. */
export class FrontDoor implements ArrivalOwner {
  readonly runtime: Runtime;
  readonly quota: VisitorQuota;
  readonly #options: FrontDoorOptions;
  readonly #servers: Server[] = [];
  readonly #arrivals = new Set<Arrival>();
  /** Those by the clients' door, apart: their crowd takes no place from visitors. */
  readonly #clientArrivals = new Set<Arrival>();
  readonly #sockets = new WeakMap<Arrival, Socket>();
  #accepted = 0;

  constructor(options: FrontDoorOptions) {
    const { runtime, limits, trusted } = options.edge;
    this.#options = options;
    this.runtime = runtime;
    this.quota = new VisitorQuota({ limits, trusted });
  }

  /** Connections that were accepted so far, whatever became of them. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Connections that have not arrived. */
  get arrivals(): number {
    return this.#arrivals.size + this.#clientArrivals.size;
  }

  /** Certificates that are kept ready. */
  get tlsContexts(): number {
    return this.#options.tls?.size ?? 0;
  }

  /** When the first certificate expires, in milliseconds since 1970; undefined without TLS. */
  get firstExpiryMs(): number | undefined {
    return this.#options.tls?.firstExpiryMs;
  }

  /** Listeners on the listening sockets. */
  get listeners(): number {
    return this.#servers.reduce((sum, server) => sum + listenersOf(server), 0);
  }

  /** Starts to listen; answers the address that the system gave. Throws E_LISTEN. */
  async listen(where: ListenAddress): Promise<ListenAddress> {
    const { scheme = "http", door = "everybody" } = where;
    const tls = scheme === "https";
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#onConnection(socket, { tls, door }),
    );
    const address = await listenOn(server, where);
    this.#servers.push(server);
    // EMFILE and the like while accepting: counted by the limits below, never a reason to stop.
    server.on("error", (error) => this.runtime.events.faulted("accept", error));
    this.#options.edge.address.listensOn(scheme, { ...address, door });
    return address;
  }

  /** Accepts nothing more. Resolves when every connection that was accepted is closed. */
  async stop(): Promise<void> {
    await Promise.all(
      this.#servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))),
    );
  }

  /** Drops what has not arrived, and lets go of the certificates. */
  close(): void {
    for (const arrival of [...this.#arrivals, ...this.#clientArrivals]) arrival.close("shutdown");
    this.#options.tls?.close();
  }

  onProxied(arrival: Arrival, address: string): boolean {
    const socket = this.#sockets.get(arrival);
    const refusal = socket && this.quota.move(socket, address);
    if (refusal) this.runtime.events.refused(refusal);
    return refusal === undefined;
  }

  contextFor(serverName: string | undefined): SecureContext | undefined {
    return this.#options.tls?.find(serverName);
  }

  passedTo(serverName: string): string | undefined {
    return this.#options.owner.passedTo(serverName);
  }

  onArrived(arrival: Arrival, accepted: AcceptedConnection): void {
    this.#forget(arrival);
    this.#options.owner.onVisitor(accepted);
  }

  onPassThrough(arrival: Arrival, passing: PassingConnection): void {
    this.#forget(arrival);
    this.#options.owner.onPassing(passing);
  }

  onLost(arrival: Arrival): void {
    this.#forget(arrival);
  }

  /** A visitor of a TCP tunnel's port, paused, and the name that the port belongs to. */
  onPortVisitor(socket: Socket, name: string): void {
    this.#onConnection(socket, { tls: false, door: "visitors", port: name });
  }

  #onConnection(socket: Socket, way: { readonly tls: boolean; readonly door: Door; readonly port?: string }): void {
    const { edge, owner, proxyProtocol } = this.#options;
    const { tls, door, port } = way;
    this.#accepted += 1;
    // A visitor that is gone already has no address.
    const address = plainAddress(socket.remoteAddress ?? "");
    const proxyHeader = proxyProtocol && address !== "" && edge.trusted.has(address);
    const room = door === "clients" ? this.#clientArrivals : this.#arrivals;
    const full = (tls || proxyHeader) && room.size >= edge.limits.maxArrivals;
    const refusal = address === "" ? undefined : full ? "arrivals" : this.quota.admit(socket, address);
    if (refusal) this.runtime.events.refused(refusal);
    if (refusal || address === "") socket.destroy();
    else if (tls || proxyHeader) {
      const steps = { proxyHeader, tls, door, port };
      const arrival = new Arrival(this, { socket, address, steps, deadlineMs: edge.limits.arrivalMs });
      room.add(arrival);
      this.#sockets.set(arrival, socket);
      // Ports hand their visitors over paused.
      socket.resume();
    } else if (port === undefined) owner.onVisitor({ socket, raw: socket, address, scheme: "http", door });
    else owner.onPassing({ type: "tcp", socket, address, name: port, hello: emptyBuffer });
  }

  #forget(arrival: Arrival): void {
    this.#arrivals.delete(arrival);
    this.#clientArrivals.delete(arrival);
  }
}

/** Makes a server listen; answers the address that the system gave. Rejects with E_LISTEN. */
export function listenOn(server: Server, where: ListenAddress): Promise<ListenAddress> {
  const { host } = where;
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(listenError(error, `${host}:${where.port}`));
    server.once("error", failed);
    server.listen({ host, port: where.port, backlog }, () => {
      server.off("error", failed);
      const address = server.address();
      resolve({ host, port: typeof address === "object" && address !== null ? address.port : where.port });
    });
  });
}

function listenError(error: Error, where: string): CaissonError {
  const code = systemCodeOf(error);
  const advice =
    code === "EADDRINUSE"
      ? "another process listens there; choose another port with --listen"
      : code === "EACCES"
        ? "the system does not allow this port; choose one above 1023"
        : error.message;
  return new CaissonError("E_LISTEN", `cannot listen on ${where}: ${advice}`, { cause: error });
}
