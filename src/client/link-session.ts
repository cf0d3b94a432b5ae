// One session with one server: it claims the tunnels, leads each stream to its forwarder, and tells its link what the
// server said. What to do about that (reconnect, give up) is the link's to decide.

import type { Deadline } from "../lifecycle/deadlines.ts";
import { unreachable } from "../lifecycle/errors.ts";
import type { SessionCloseReason, SessionHandler, StreamHandler } from "../mux/handlers.ts";
import type { MuxLimits } from "../mux/limits.ts";
import { Session } from "../mux/session.ts";
import type { Stream } from "../mux/stream.ts";
import type { Transport } from "../mux/transport.ts";
import type { GoAwayReason, ResetReason } from "../wire/codes.ts";
import type { Closed, ControlMessage, Refused, Register, Registered } from "../wire/control.ts";
import { tlsFeature } from "../wire/control.ts";
import type { OpenRequest } from "../wire/open.ts";
import type { ClientContext, TunnelClaim } from "./client-tunnel.ts";
import { ClientTunnel } from "./client-tunnel.ts";
import { ExchangeForwarder } from "./exchange-forwarder.ts";
import { PipeForwarder } from "./pipe-forwarder.ts";

/** A name that a server gave, and the key that proves it. */
export interface GivenName {
  readonly name: string;
  readonly resumeKey: string;
  /** The public port that went with it. */
  readonly port?: number | undefined;
}

/** A claim that the server has not answered, or has refused, and the remembered name that was asked for. */
export interface PendingClaim {
  readonly claim: TunnelClaim;
  readonly given: GivenName | undefined;
}

/** Who decides what follows from what a session reports. */
export interface LinkSessionOwner {
  /** The server's hello has arrived: tunnels may be claimed. */
  onReady(session: LinkSession): void;
  onRegistered(session: LinkSession, tunnel: ClientTunnel): void;
  onRefused(session: LinkSession, pending: PendingClaim, refused: Refused): void;
  onTunnelClosed(session: LinkSession, tunnel: ClientTunnel, reason: string): void;
  onGoAway(session: LinkSession, reason: GoAwayReason): void;
  /** Last call. */
  onClosed(session: LinkSession, reason: SessionCloseReason): void;
}

/** What a session needs. */
export interface LinkSessionOptions {
  readonly owner: LinkSessionOwner;
  readonly context: ClientContext;
  readonly transport: Transport;
  /** The server, for people. */
  readonly server: string;
  readonly version: string;
  readonly instance: string;
  readonly muxLimits: Partial<MuxLimits>;
}

const tooOld: Pick<Refused, "code" | "message"> = {
  code: "tls_off",
  message: "this server is too old for TLS tunnels; its operator has to update Caisson",
};

/** The client's side of one session. */
export class LinkSession implements SessionHandler {
  readonly session: Session;
  /** When the server's hello came, on the clock of `performance.now()`; 0 before. */
  readyAtMs = 0;
  readonly #owner: LinkSessionOwner;
  readonly #context: ClientContext;
  readonly #tunnels = new Map<number, ClientTunnel>();
  /** Claims that the server has not answered. */
  readonly #pending = new Map<number, PendingClaim>();
  /** Armed while the server owes an answer to a claim. */
  readonly #answer: Deadline;

  constructor(options: LinkSessionOptions) {
    this.#owner = options.owner;
    this.#context = options.context;
    this.#answer = options.context.runtime.deadlines.create(() => this.session.terminate("handshake_timeout"));
    this.session = new Session({
      role: "client",
      transport: options.transport,
      runtime: options.context.runtime,
      handler: this,
      peer: options.server,
      hello: {
        version: options.version,
        instance: options.instance,
        maxStreams: options.context.limits.maxStreams,
        features: options.context.features,
      },
      limits: options.muxLimits,
    });
  }

  /** The tunnels that stand on it. */
  get tunnels(): ReadonlyMap<number, ClientTunnel> {
    return this.#tunnels;
  }

  /** Whether the server has answered every claim. */
  get settled(): boolean {
    return this.readyAtMs > 0 && this.#pending.size === 0;
  }

  /**
   * Asks for a tunnel, with the name that the server gave before if there is one. What the server is known not to
   * understand counts as refused, before this returns.
   */
  register(claim: TunnelClaim, given: GivenName | undefined): void {
    const name = given?.name ?? claim.name;
    const port = claim.port ?? given?.port;
    const message: Register = {
      type: "register",
      id: claim.id,
      kind: claim.kind,
      ...(name === undefined ? {} : { name }),
      ...(given === undefined ? {} : { resumeKey: given.resumeKey }),
      ...(port === undefined ? {} : { port }),
    };
    if (claim.kind === "tls" && this.session.hello?.features.includes(tlsFeature) !== true) {
      this.#owner.onRefused(this, { claim, given }, { type: "refused", id: claim.id, ...tooOld });
      return;
    }
    this.#pending.set(claim.id, { claim, given });
    this.#answer.arm(this.#context.limits.dialMs);
    this.session.sendControl(message);
  }

  /** Gives a tunnel back, or takes back that it was asked for. Its streams in flight go on. */
  unregister({ id }: TunnelClaim): void {
    const tunnel = this.#tunnels.get(id);
    const asked = this.#takePending(id);
    if (!tunnel && !asked) return;
    this.session.sendControl({ type: "unregister", id });
    if (!tunnel) return;
    this.#tunnels.delete(id);
    this.#context.runtime.events.closed(tunnel, "unregistered");
  }

  onReady(): void {
    this.readyAtMs = performance.now();
    this.#context.runtime.events.sessionConnected("ok", this.session);
    this.#owner.onReady(this);
  }

  onOpen(stream: Stream, open: OpenRequest): StreamHandler | ResetReason {
    const tunnel = this.#tunnels.get(open.tunnel);
    if (!tunnel) return "no_tunnel";
    if (!tunnel.claim.inService) return "target_unreachable";
    if (open.kind === "exchange") {
      if (tunnel.claim.kind !== "http") return "no_tunnel";
      const forwarder = new ExchangeForwarder(stream, open, tunnel);
      forwarder.start();
      return forwarder;
    }
    if (tunnel.claim.kind === "http") return "no_tunnel";
    const forwarder = new PipeForwarder(stream, open, tunnel);
    forwarder.start();
    return forwarder;
  }

  onControl(_: Session, message: ControlMessage): void {
    switch (message.type) {
      case "registered":
        this.#onRegistered(message);
        return;
      case "refused":
        this.#onRefused(message);
        return;
      case "closed":
        this.#onTunnelClosed(message);
        return;
      case "hello":
      case "notice":
        return; // The mux has taken note.
      case "register":
      case "unregister":
        return; // These go the other way; a server that sends them is odd but harmless.
      default:
        unreachable(message);
    }
  }

  onGoAway(_: Session, reason: GoAwayReason): void {
    this.#owner.onGoAway(this, reason);
  }

  onRoom(): void {}

  onClosed(_: Session, reason: SessionCloseReason): void {
    if (this.readyAtMs === 0) this.#context.runtime.events.sessionConnected(reason, undefined);
    this.#pending.clear();
    this.#answer.dispose(reason);
    for (const tunnel of this.#tunnels.values()) this.#context.runtime.events.closed(tunnel, reason);
    this.#tunnels.clear();
    this.#owner.onClosed(this, reason);
  }

  #takePending(id: number): PendingClaim | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#answer.disarm();
    return pending;
  }

  #onRegistered(message: Registered): void {
    const pending = this.#takePending(message.id);
    if (!pending) return;
    const tunnel = new ClientTunnel(pending.claim, message, this.#context);
    this.#tunnels.set(message.id, tunnel);
    this.#context.runtime.events.opened(tunnel);
    this.#owner.onRegistered(this, tunnel);
  }

  #onRefused(message: Refused): void {
    const pending = this.#takePending(message.id);
    if (pending) this.#owner.onRefused(this, pending, message);
  }

  #onTunnelClosed(message: Closed): void {
    const tunnel = this.#tunnels.get(message.id);
    if (!tunnel) return;
    this.#tunnels.delete(message.id);
    this.#context.runtime.events.closed(tunnel, "closed_by_server");
    this.#owner.onTunnelClosed(this, tunnel, message.reason);
  }
}
