// The public TCP ports of one server. A port belongs to a name and goes where the name goes: to its tunnel, to whoever
// comes back for it while it is kept, and away with it. Nothing listens that has no owner.

import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import type { Runtime } from "../lifecycle/runtime.ts";
import type { PortRange } from "../tokens/name-pattern.ts";
import { listenOn } from "./front-door.ts";

/** How many ports are tried when any will do and others of this machine are taken. */
const maxTries = 20;

/** A port that this server listens on. */
export interface PublicPort {
  readonly port: number;
}

/** Options of {@link PortTable}. */
export interface PortTableOptions {
  readonly runtime: Runtime;
  readonly host: string;
  readonly range: PortRange;
  /** How many may be open at once. */
  readonly maxPorts: number;
  /** Takes each visitor of a port, with the name that the port belongs to. */
  readonly onVisitor: (socket: Socket, name: string) => void;
}

interface Place extends PublicPort {
  readonly server: Server;
  /** Undefined until it is assigned. */
  name: string | undefined;
}

/** The ports of one server. */
export class PortTable {
  readonly #options: PortTableOptions;
  readonly #byPort = new Map<number, Place>();
  readonly #byName = new Map<string, Place>();
  #closing: Promise<unknown>[] = [];
  #closed = false;

  constructor(options: PortTableOptions) {
    this.#options = options;
  }

  /** How many ports are taken, those that are just being opened included. */
  get size(): number {
    return this.#byPort.size;
  }

  /** Whether as many are taken as may be. */
  get full(): boolean {
    return this.#byPort.size >= this.#options.maxPorts;
  }

  /** Whether the server may have this port at all. */
  includes(port: number): boolean {
    const { from, to } = this.#options.range;
    return port >= from && port <= to;
  }

  /** Whether any of the ports may be one of this server's. */
  includesAny(ranges: readonly PortRange[]): boolean {
    const { from, to } = this.#options.range;
    return ranges.some((range) => range.from <= to && range.to >= from);
  }

  /** The port that belongs to a name. */
  of(name: string): PublicPort | undefined {
    return this.#byName.get(name);
  }

  /** Opens `port`, or any free one that `may` allows. Undefined if it is taken. Never rejects. */
  async open(port: number | undefined, may: (port: number) => boolean): Promise<PublicPort | undefined> {
    const candidates = port === undefined ? this.#someFree(may) : [port];
    for (const candidate of candidates) {
      if (this.#closed) return undefined;
      const place = await this.#listen(candidate);
      if (place) return place;
    }
    return undefined;
  }

  /** The port is the name's from now on; one that it had before is closed. */
  assign(port: PublicPort, name: string): void {
    const place = this.#byPort.get(port.port);
    if (!place || place !== port) return;
    if (this.#byName.get(name) !== place) this.release(name);
    place.name = name;
    this.#byName.set(name, place);
  }

  /** The name is nobody's any more, or has no port any more. */
  release(name: string): void {
    const place = this.#byName.get(name);
    if (place) this.discard(place);
  }

  /** Closes a port. Idempotent. */
  discard(port: PublicPort): void {
    const place = this.#byPort.get(port.port);
    if (!place || place !== port) return;
    this.#byPort.delete(place.port);
    if (place.name !== undefined && this.#byName.get(place.name) === place) this.#byName.delete(place.name);
    place.server.close();
  }

  /** Accepts nothing more. Resolves when every visitor that was accepted is gone. */
  async stop(): Promise<void> {
    this.#closed = true;
    for (const place of this.#byPort.values()) {
      this.#closing.push(new Promise<void>((resolve) => void place.server.close(() => resolve())));
    }
    this.#byPort.clear();
    this.#byName.clear();
    await Promise.all(this.#closing);
    this.#closing = [];
  }

  async #listen(port: number): Promise<Place | undefined> {
    if (this.full || this.#byPort.has(port)) return undefined;
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      if (place.name === undefined) socket.destroy();
      else this.#options.onVisitor(socket, place.name);
    });
    const place: Place = { port, server, name: undefined };
    // In the table before it listens, so that nobody else is given it meanwhile.
    this.#byPort.set(port, place);
    try {
      await listenOn(server, { host: this.#options.host, port });
    } catch {
      if (this.#byPort.get(port) === place) this.#byPort.delete(port);
      return undefined; // Another process has it, or the system does not allow it.
    }
    server.on("error", (error) => this.#options.runtime.events.faulted("accept", error));
    if (this.#byPort.get(port) === place) return place;
    server.close();
    return undefined;
  }

  /** Some free ports in an order that nobody can foresee. */
  #someFree(may: (port: number) => boolean): number[] {
    const { from, to } = this.#options.range;
    const count = to - from + 1;
    const start = Math.floor(Math.random() * count);
    const free: number[] = [];
    for (let n = 0; n < count && free.length < maxTries; n += 1) {
      const port = from + ((start + n) % count);
      if (!this.#byPort.has(port) && may(port)) free.push(port);
    }
    return free;
  }
}
