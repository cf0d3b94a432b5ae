// The server's side of one client: its session and the tunnels that the session claims. It decides who gets a name,
// and what becomes of the names when the session ends. Tunnels are made and released nowhere else.

import { unreachable } from "../lifecycle/errors.ts";
import type { SessionCloseReason, SessionHandler } from "../mux/handlers.ts";
import { Session } from "../mux/session.ts";
import type { Transport } from "../mux/transport.ts";
import type { GoAwayReason } from "../wire/codes.ts";
import type { ControlMessage, Register, RegisterRefusal } from "../wire/control.ts";
import type { Edge } from "./edge.ts";
import type { HeldName } from "./name-table.ts";
import { looksRandom, nameProblem, randomName } from "./names.ts";
import { Tunnel } from "./tunnel.ts";

/** A request that waits for a place in a full session. */
export interface RoomWaiter {
  /** There may be a place now. */
  onRoom(): void;
  /** The session is gone or draining. */
  onRoomLost(): void;
}

/** How a session was reached. */
export interface ClientSessionOptions {
  readonly edge: Edge;
  readonly transport: Transport;
  /** The client's address. */
  readonly peer: string;
  /** The session and its socket are gone. */
  readonly onClosed: () => void;
}

const refusalTexts: Readonly<Record<RegisterRefusal, string>> = {
  name_taken: "another client has this name; choose another name, or none for a random one",
  name_invalid: "a name is 1 to 63 of a-z, 0-9 and hyphens, not at the edges, and does not start with xn--",
  name_reserved: "this name is reserved; choose another",
  not_allowed: "this session may not do that",
  port_taken: "this port is in use; choose another, or none for a free one",
  port_invalid: "this port is outside of the server's range",
  tcp_off: "this server offers no TCP tunnels",
  too_many: "this session has as many tunnels as the server allows",
  shutting_down: "the server is shutting down",
};

/** An instance that is shorter was not made to be hard to guess, and proves nothing. */
const leastProofLength = 16;

/** Why tunnels lose their names for good when their session ends; otherwise names are kept for a while. */
const finalReasons: ReadonlySet<SessionCloseReason> = new Set<SessionCloseReason>([
  "goodbye",
  "replaced",
  "superseded",
  "closed_by_operator",
  "revoked",
]);

/** One connected client, seen from the server. */
export class ClientSession implements SessionHandler {
  readonly peer: string;
  readonly session: Session;
  readonly tunnels: Map<number, Tunnel> = new Map();
  /** Requests that wait for a place, the oldest first. */
  readonly roomWaiters: Set<RoomWaiter> = new Set();
  readonly #edge: Edge;
  readonly #onClosed: () => void;

  constructor(options: ClientSessionOptions) {
    this.#edge = options.edge;
    this.peer = options.peer;
    this.#onClosed = options.onClosed;
    this.#edge.sessions.add(this);
    this.session = new Session({
      role: "server",
      transport: options.transport,
      runtime: this.#edge.runtime,
      handler: this,
      peer: options.peer,
      hello: {
        version: this.#edge.version,
        instance: this.#edge.instance,
        maxStreams: this.#edge.muxLimits.maxStreams,
      },
      limits: this.#edge.muxLimits,
      budget: this.#edge.budget,
    });
  }

  /** The client process: tells its reconnect from another client. Empty before its hello. */
  get instance(): string {
    return this.session.hello?.instance ?? "";
  }

  onReady(): void {
    this.#edge.runtime.events.sessionConnected("ok", this.session);
  }

  onOpen(): "no_tunnel" {
    return "no_tunnel"; // Only servers open streams; the mux turns an OPEN from a client into a violation before this.
  }

  onControl(_: Session, message: ControlMessage): void {
    switch (message.type) {
      case "register":
        this.#register(message);
        return;
      case "unregister": {
        const tunnel = this.tunnels.get(message.id);
        if (tunnel) this.#end(tunnel, "unregistered");
        return;
      }
      case "hello":
      case "notice":
        return; // The mux has taken note.
      case "registered":
      case "refused":
      case "closed":
        return; // These go the other way; a client that sends them is odd but harmless.
      default:
        unreachable(message);
    }
  }

  onGoAway(_: Session, reason: GoAwayReason): void {
    if (reason === "goodbye") this.#endAll("goodbye");
    this.#loseWaiters();
  }

  onRoom(session: Session): void {
    for (const waiter of this.roomWaiters) {
      if (!session.hasRoom) return;
      this.roomWaiters.delete(waiter);
      waiter.onRoom();
    }
  }

  onClosed(_: Session, reason: SessionCloseReason): void {
    this.#edge.sessions.delete(this);
    if (finalReasons.has(reason) || !this.#edge.accepting) this.#endAll(reason);
    else {
      for (const tunnel of this.tunnels.values()) this.#edge.names.hold(tunnel);
      this.#endAll(reason);
    }
    this.#loseWaiters();
    this.#onClosed();
  }

  /** Adds a request to those that wait for a place; false if too many do. */
  waitForRoom(waiter: RoomWaiter): boolean {
    if (this.roomWaiters.size >= this.#edge.limits.maxRoomWaiters) return false;
    this.roomWaiters.add(waiter);
    return true;
  }

  /** Closes one tunnel by the operator's wish. With its last tunnel the whole session goes. */
  closeTunnel(tunnel: Tunnel): void {
    this.#end(tunnel, "closed_by_operator");
    if (this.tunnels.size === 0) this.session.close("closed_by_operator");
    else this.session.sendControl({ type: "closed", id: tunnel.id, reason: "closed_by_operator" });
  }

  #register(message: Register): void {
    const verdict = this.#judge(message);
    if (verdict !== undefined) {
      this.#edge.runtime.events.refused(verdict);
      this.session.sendControl({ type: "refused", id: message.id, code: verdict, message: refusalTexts[verdict] });
      return;
    }
    const { address, names, resumeKeys, runtime } = this.#edge;
    const name = message.name ?? randomName();
    const tunnel = new Tunnel({
      id: message.id,
      type: message.kind,
      name,
      url: address.urlOf(name),
      direct: address.directOf(name),
      session: this,
    });
    this.tunnels.set(tunnel.id, tunnel);
    runtime.events.opened(tunnel);
    this.session.sendControl({
      type: "registered",
      id: tunnel.id,
      name,
      url: tunnel.url,
      direct: tunnel.direct,
      resumeKey: resumeKeys.keyOf(name),
    });
    // The route comes last: whoever waited for the name may open streams at once, behind the answer above.
    const displaced = names.claim(tunnel);
    if (displaced) displaced.session.#yieldTo(this, displaced);
  }

  /** Why the registration is refused, or undefined if it is granted. */
  #judge(message: Register): RegisterRefusal | undefined {
    if (!this.#edge.accepting || this.session.state !== "ready") return "shutting_down";
    if (message.kind === "tcp") return "tcp_off";
    if (this.tunnels.has(message.id)) return "not_allowed";
    if (this.tunnels.size >= this.#edge.limits.maxTunnelsPerSession) return "too_many";
    if (message.name === undefined) return undefined;
    const problem = nameProblem(message.name);
    if (problem) return problem;
    const holder = this.#edge.names.find(message.name);
    if (holder instanceof Tunnel && holder.session === this) return "name_taken";
    const proven = message.resumeKey !== undefined && this.#edge.resumeKeys.matches(message.name, message.resumeKey);
    if (proven || (holder === undefined && !looksRandom(message.name))) return undefined;
    return this.#hadBefore(holder) ? undefined : "name_taken";
  }

  /** Whether this very client process has or had the name: its link may have been cut before the resume key arrived. */
  #hadBefore(holder: Tunnel | HeldName | undefined): boolean {
    if (holder === undefined || this.instance.length < leastProofLength) return false;
    return (holder instanceof Tunnel ? holder.session.instance : holder.instance) === this.instance;
  }

  /** A newer session took this tunnel's name. */
  #yieldTo(newer: ClientSession, tunnel: Tunnel): void {
    const reason = newer.instance === this.instance ? "superseded" : "replaced";
    this.#end(tunnel, reason);
    if (this.tunnels.size === 0) this.session.drain(reason);
    else this.session.sendControl({ type: "closed", id: tunnel.id, reason });
  }

  #end(tunnel: Tunnel, reason: string): void {
    if (this.tunnels.get(tunnel.id) !== tunnel) return;
    this.tunnels.delete(tunnel.id);
    this.#edge.names.release(tunnel);
    this.#edge.runtime.events.closed(tunnel, reason);
  }

  #endAll(reason: string): void {
    for (const tunnel of this.tunnels.values()) this.#end(tunnel, reason);
  }

  #loseWaiters(): void {
    const waiters = [...this.roomWaiters];
    this.roomWaiters.clear();
    for (const waiter of waiters) waiter.onRoomLost();
  }
}
