// A visitor whose bytes go to a tunnel as they are. It finds the way there, waiting within bounds for a name or for a
// place, and then leaves the socket to a pipe. It reads nothing from the socket itself; on any failure it is reset.

import type { Socket } from "node:net";
import type { Deadline } from "../lifecycle/deadlines.ts";
import type { PipeFailure, SessionView, TraceContext } from "../lifecycle/events.ts";
import type { Resource } from "../lifecycle/resource.ts";
import { ignoreError } from "../lifecycle/listener.ts";
import { cutSocket } from "../mux/cut-socket.ts";
import { noHandler } from "../mux/no-handler.ts";
import { SocketOutlet } from "../mux/socket-outlet.ts";
import { tracedPipesFeature } from "../wire/control.ts";
import type { OpenPipe } from "../wire/open.ts";
import type { RoomWaiter } from "./client-session.ts";
import type { Edge } from "./edge.ts";
import type { NameWaiter } from "./name-table.ts";
import { HeldName } from "./name-table.ts";
import type { Tunnel } from "./tunnel.ts";
import type { UpgradedConnection } from "./visitor-owner.ts";

/** Who holds these visitors. */
export interface PipeVisitorOwner {
  readonly edge: Edge;
  onPipe(pipe: UpgradedConnection): void;
  /** It is no longer to be held: it has a pipe, or is gone. */
  onPipeVisitorDone(visitor: PipeVisitor): void;
}

/** What such a visitor is made of. */
export interface PipeVisitorOptions {
  /** Paused. */
  readonly socket: Socket;
  readonly address: string;
  /** The tunnel's name. */
  readonly name: string;
  /** What kind of tunnel it has to be. */
  readonly type: Tunnel["type"];
  /** What was read from the socket before. */
  readonly early: Buffer;
}

/** One visitor. */
export class PipeVisitor implements Resource, NameWaiter, RoomWaiter {
  readonly kind = "visitor_socket";
  readonly openedAtMs: number = performance.now();
  readonly #owner: PipeVisitorOwner;
  readonly #options: PipeVisitorOptions;
  readonly #deadline: Deadline;
  #waitsFor: HeldName | Tunnel | undefined;
  #done = false;

  constructor(owner: PipeVisitorOwner, options: PipeVisitorOptions) {
    const { runtime } = owner.edge;
    this.#owner = owner;
    this.#options = options;
    runtime.events.opened(this);
    this.#deadline = runtime.deadlines.create(() =>
      this.#waitsFor instanceof HeldName
        ? this.#refuse("reconnecting", "name_wait")
        : this.#refuse("overloaded", "room_wait"),
    );
    options.socket.on("error", ignoreError).once("close", this.#onClose);
  }

  /** Finds the way. Called once. */
  begin(): void {
    const { names, limits } = this.#owner.edge;
    const holder = names.find(this.#options.name);
    if (holder === undefined) this.#fail("no_tunnel", "no_tunnel");
    else if (!(holder instanceof HeldName)) this.#enter(holder);
    else if (!names.wait(holder, this)) this.#refuse("reconnecting", "name_waiters");
    else {
      this.#waitsFor = holder;
      this.#deadline.arm(limits.nameWaitMs);
    }
  }

  /** Resets the connection. Idempotent. */
  close(reason: "shutdown"): void {
    this.#fail(reason, reason);
  }

  onNameBack(tunnel: Tunnel): void {
    this.#waitsFor = undefined;
    this.#enter(tunnel);
  }

  onNameLost(): void {
    this.#waitsFor = undefined;
    this.#fail("reconnecting", "name_lost");
  }

  onRoom(): void {
    this.#waitsFor = undefined;
    this.begin();
  }

  onRoomLost(): void {
    this.#waitsFor = undefined;
    this.#fail("reconnecting", "client_lost");
  }

  readonly #onClose = (): void => this.#fail("visitor_abort", "visitor_closed");

  #enter(tunnel: Tunnel): void {
    const { session } = tunnel.session;
    if (this.#done) return;
    const overload = this.#owner.edge.overload.refusesStreams(this.openedAtMs);
    if (tunnel.type !== this.#options.type) this.#fail("no_tunnel", "no_tunnel");
    else if (session.state !== "ready") this.#fail("reconnecting", "client_lost");
    else if (overload !== undefined) this.#refuse("overloaded", overload);
    else if (session.hasRoom) this.#open(tunnel);
    else if (!tunnel.session.waitForRoom(this)) this.#refuse("overloaded", "room_waiters");
    else {
      this.#waitsFor = tunnel;
      this.#deadline.arm(this.#owner.edge.limits.roomWaitMs);
    }
  }

  #open(tunnel: Tunnel): void {
    const { socket, address, early } = this.#options;
    this.#leave("piped");
    tunnel.requests += 1;
    const { session } = tunnel.session;
    const trace = this.#tell(session, undefined);
    const traceparent = session.hello?.features.includes(tracedPipesFeature) === true ? spoken(trace) : undefined;
    const open: OpenPipe = { kind: "pipe", tunnel: tunnel.id, visitor: address };
    const stream = session.open(traceparent === undefined ? open : { ...open, traceparent }, noHandler);
    const outlet = new SocketOutlet(socket, this.#owner.edge.runtime.memory);
    this.#owner.onPipe({ socket, raw: socket, stream, tunnel, early, outlet, trace });
  }

  #tell(session: SessionView | undefined, failure: PipeFailure | undefined): TraceContext | undefined {
    const { address: visitorAddress, name: tunnelName } = this.#options;
    const { openedAtMs } = this;
    const opening = { role: "server", openedAtMs, tunnelName, visitorAddress, upstream: undefined } as const;
    const { events } = this.#owner.edge.runtime;
    return events.pipeOpening({ ...opening, session, traceparent: undefined, failure });
  }

  #refuse(outcome: PipeFailure["outcome"], limit: string): void {
    this.#owner.edge.runtime.events.refused(limit);
    this.#fail(outcome, limit);
  }

  #fail(outcome: PipeFailure["outcome"], reason: string): void {
    if (this.#done) return;
    this.#leave(reason);
    this.#tell(undefined, { outcome, reason });
    cutSocket(this.#options.socket);
  }

  #leave(reason: string): void {
    this.#done = true;
    if (this.#waitsFor instanceof HeldName) this.#waitsFor.waiters.delete(this);
    else this.#waitsFor?.session.leaveRoom(this);
    this.#waitsFor = undefined;
    this.#deadline.dispose(reason);
    this.#options.socket.off("close", this.#onClose);
    this.#owner.edge.runtime.events.closed(this, reason);
    this.#owner.onPipeVisitorDone(this);
  }
}

/** A trace as the client is told of it; undefined for one that is not to be told. */
function spoken(trace: TraceContext | undefined): string | undefined {
  if (trace === undefined || trace.headerLines === "") return undefined;
  return `00-${trace.traceId}-${trace.spanId}-${trace.sampled ? "01" : "00"}`;
}
