// The server's side of one client: its session and the tunnels that the session claims. It decides who gets a name,
// and what becomes of the names when the session ends. Tunnels are made and released nowhere else.

import { unreachable } from "../lifecycle/errors.ts";
import type { SessionCloseReason, SessionHandler } from "../mux/handlers.ts";
import { Session } from "../mux/session.ts";
import type { Transport } from "../mux/transport.ts";
import type { GoAwayReason } from "../wire/codes.ts";
import type { ControlMessage, Register, RegisterRefusal } from "../wire/control.ts";
import type { TokenEntry } from "../tokens/token-table.ts";
import type { Edge } from "./edge.ts";
import type { HeldName } from "./name-table.ts";
import { looksRandom, nameProblem, randomName } from "./names.ts";
import type { GatedSession } from "./token-gate.ts";
import type { PublicPort } from "./port-table.ts";
import { portsFullText, refusalText } from "./refusal-texts.ts";
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
  /** What it logged in with; undefined where there are no tokens. */
  readonly token: TokenEntry | undefined;
  /** The session and its socket are gone. */
  readonly onClosed: () => void;
}

/** An instance that is shorter was not made to be hard to guess, and proves nothing. */
const leastProofLength = 16;

function tokenIdOf(holder: Tunnel | HeldName): string | undefined {
  return holder instanceof Tunnel ? holder.session.token?.id : holder.tokenId;
}

/** Why tunnels lose their names for good when their session ends; otherwise names are kept for a while. */
const finalReasons: ReadonlySet<SessionCloseReason> = new Set<SessionCloseReason>([
  "goodbye",
  "replaced",
  "superseded",
  "closed_by_operator",
  "revoked",
]);

/** One connected client, seen from the server. */
export class ClientSession implements SessionHandler, GatedSession {
  readonly peer: string;
  readonly session: Session;
  readonly tunnels: Map<number, Tunnel> = new Map();
  readonly #edge: Edge;
  readonly #onClosed: () => void;
  #token: TokenEntry | undefined;
  /** Requests that wait for a place, the oldest first. Made for the first one. */
  #roomWaiters: Set<RoomWaiter> | undefined;
  /** TCP tunnels whose ports are being opened. */
  #openingPorts = 0;

  constructor(options: ClientSessionOptions) {
    this.#edge = options.edge;
    this.#token = options.token;
    this.peer = options.peer;
    this.#onClosed = options.onClosed;
    this.#edge.sessions.add(this);
    if (options.token) this.#edge.tokens?.join(this, options.token);
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
        features: this.#edge.features,
      },
      limits: this.#edge.muxLimits,
      budget: this.#edge.budget,
    });
  }

  /** The client process: tells its reconnect from another client. Empty before its hello. */
  get instance(): string {
    return this.session.hello?.instance ?? "";
  }

  /** How many requests wait for a place. */
  get waitingForRoom(): number {
    return this.#roomWaiters?.size ?? 0;
  }

  /** What it logged in with, as it stands now; undefined where there are no tokens. */
  get token(): TokenEntry | undefined {
    return this.#token;
  }

  get stays(): boolean {
    const { state } = this.session;
    return state === "greeting" || state === "ready";
  }

  revoke(): void {
    // The names are free from now on, however long the client takes to leave.
    this.#endAll("revoked");
    this.session.close("revoked");
  }

  rescope(token: TokenEntry): void {
    this.#token = token;
    for (const tunnel of this.tunnels.values()) if (!this.#mayKeep(tunnel)) this.#withdraw(tunnel, "not_allowed");
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
    if (!this.#roomWaiters) return;
    for (const waiter of this.#roomWaiters) {
      if (!session.hasRoom) return;
      this.#roomWaiters.delete(waiter);
      waiter.onRoom();
    }
  }

  onClosed(_: Session, reason: SessionCloseReason): void {
    this.#edge.sessions.delete(this);
    if (this.#token) this.#edge.tokens?.leave(this, this.#token);
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
    if (this.waitingForRoom >= this.#edge.limits.maxRoomWaiters) return false;
    this.#roomWaiters ??= new Set();
    this.#roomWaiters.add(waiter);
    return true;
  }

  /** The request waits no longer. Idempotent. */
  leaveRoom(waiter: RoomWaiter): void {
    this.#roomWaiters?.delete(waiter);
  }

  /** Closes one tunnel by the operator's wish. With its last tunnel the whole session goes. */
  closeTunnel(tunnel: Tunnel): void {
    this.#end(tunnel, "closed_by_operator");
    if (this.tunnels.size === 0) this.session.close("closed_by_operator");
    else this.session.sendControl({ type: "closed", id: tunnel.id, reason: "closed_by_operator" });
  }

  #withdraw(tunnel: Tunnel, reason: string): void {
    this.#end(tunnel, reason);
    this.session.sendControl({ type: "closed", id: tunnel.id, reason });
  }

  #register(message: Register): void {
    const verdict = this.#judge(message);
    if (verdict !== undefined) this.#refuse(message, verdict);
    else if (message.kind === "tcp") void this.#registerPort(message);
    else this.#grant(message, undefined);
  }

  #refuse(message: Register, verdict: RegisterRefusal): void {
    this.#edge.runtime.events.refused(verdict);
    const ofPort = message.kind === "tcp" && (verdict === "port_taken" || this.#judgePort(message.port) === verdict);
    const text = refusalText(verdict, ofPort ? (message.port ?? "any") : undefined);
    this.session.sendControl({ type: "refused", id: message.id, code: verdict, message: text });
  }

  /** Never rejects. */
  async #registerPort(message: Register): Promise<void> {
    const { ports, runtime } = this.#edge;
    const { name, port } = message;
    const standing = name === undefined ? undefined : ports?.of(name);
    if (standing && (port === undefined || port === standing.port)) {
      this.#grant(message, standing);
      return;
    }
    if (ports?.full === true) {
      runtime.events.refused("tcp_ports");
      this.session.sendControl({ type: "refused", id: message.id, code: "too_many", message: portsFullText });
      return;
    }
    this.#openingPorts += 1;
    const opened = await runtime.operations.run("port", async () => ports?.open(port, (any) => this.#mayUsePort(any)));
    this.#openingPorts -= 1;
    // Much may have happened meanwhile.
    const verdict = opened ? this.#judge(message) : "port_taken";
    if (verdict === undefined) this.#grant(message, opened);
    else {
      if (opened) ports?.discard(opened);
      this.#refuse(message, verdict);
    }
  }

  #grant(message: Register, port: PublicPort | undefined): void {
    const { names, ports, resumeKeys, runtime } = this.#edge;
    const name = message.name ?? randomName();
    const tokenId = this.#token?.id;
    const tunnel = new Tunnel({
      id: message.id,
      type: message.kind,
      name,
      ...this.#urlsOf(message.kind, { name, port }),
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
      resumeKey: resumeKeys.keyOf(name, tokenId),
    });
    // The route comes last: whoever waited for the name may open streams at once, behind the answer above.
    if (port) ports?.assign(port, name);
    else ports?.release(name);
    const displaced = names.claim(tunnel);
    if (displaced) displaced.session.#yieldTo(this, displaced);
  }

  #urlsOf(
    kind: Register["kind"],
    { name, port }: { readonly name: string; readonly port: PublicPort | undefined },
  ): Pick<Tunnel, "url" | "direct"> {
    const { address } = this.#edge;
    if (port) return address.portUrls(port.port);
    if (kind === "tls") return address.passedUrls(name);
    return { url: address.urlOf(name), direct: address.directOf(name) };
  }

  /** Why the registration is refused, or undefined if it is granted. */
  #judge(message: Register): RegisterRefusal | undefined {
    if (!this.#edge.accepting || this.session.state !== "ready") return "shutting_down";
    const problem = this.#judgeKind(message);
    if (problem) return problem;
    if (this.tunnels.has(message.id)) return "not_allowed";
    const { limits } = this.#edge;
    const token = this.#token;
    const count = (token && this.#edge.tokens?.countTunnels(token, message.name)) ?? this.tunnels.size;
    if (count >= (token?.maxTunnels ?? limits.maxTunnelsPerSession)) return "too_many";
    // A random name may be any that looks like one.
    const { name = randomName() } = message;
    // What a TCP tunnel is reached by is its port: a random name for it needs no scope.
    const scoped = message.kind === "tcp" && looksRandom(name);
    if (!scoped && !this.#mayUse(name)) return this.#formProblem(name) ?? "not_allowed";
    return message.name === undefined ? undefined : this.#judgeName(name, message.resumeKey);
  }

  #judgeKind({ kind, port }: Register): RegisterRefusal | undefined {
    if (kind === "tcp") return this.#judgePort(port);
    return kind === "tls" && this.#edge.address.tlsUrl === undefined ? "tls_off" : undefined;
  }

  #judgePort(port: number | undefined): RegisterRefusal | undefined {
    const { ports, limits } = this.#edge;
    if (!ports) return "tcp_off";
    if (this.#openingPorts >= limits.maxTunnelsPerSession) return "too_many";
    if (port === undefined) {
      return this.#token && !ports.includesAny(this.#token.ports) ? "not_allowed" : undefined;
    }
    if (!ports.includes(port)) return "port_invalid";
    return this.#mayUsePort(port) ? undefined : "not_allowed";
  }

  /** Whether the port is in the token's scope; always where there are no tokens. */
  #mayUsePort(port: number): boolean {
    const { tokens } = this.#edge;
    return tokens === undefined || (this.#token !== undefined && tokens.table.mayUsePort(this.#token, port));
  }

  #judgeName(name: string, resumeKey: string | undefined): RegisterRefusal | undefined {
    const { names, resumeKeys } = this.#edge;
    const token = this.#token;
    const problem = this.#formProblem(name);
    if (problem) return problem;
    const holder = names.find(name);
    if (holder instanceof Tunnel && holder.session === this) return "name_taken";
    // With tokens the token is the identity: nothing else, no key either, takes a name from the holder of another one.
    if (holder !== undefined && tokenIdOf(holder) !== token?.id) return "name_taken";
    if (token !== undefined && !looksRandom(name)) return undefined;
    const proven = resumeKey !== undefined && resumeKeys.matches(resumeKey, { name, tokenId: token?.id });
    if (proven || (holder === undefined && !looksRandom(name))) return undefined;
    return this.#hadBefore(holder) ? undefined : "name_taken";
  }

  /** Why nobody, or nobody without a token that lists it, may have the name. */
  #formProblem(name: string): RegisterRefusal | undefined {
    const { tokens } = this.#edge;
    const problem = nameProblem(name);
    const listed = this.#token !== undefined && tokens?.table.listsExactly(this.#token, name) === true;
    return problem === "name_reserved" && listed ? undefined : problem;
  }

  /** Whether a tunnel that stands is still in the token's scope. */
  #mayKeep({ name, type }: Tunnel): boolean {
    const { ports, tokens } = this.#edge;
    const port = type === "tcp" ? ports?.of(name)?.port : undefined;
    return tokens === undefined || (this.#token !== undefined && tokens.covers(this.#token, { name, port }));
  }

  /** Whether the name is in the token's scope; always where there are no tokens. */
  #mayUse(name: string): boolean {
    const { tokens } = this.#edge;
    return tokens === undefined || (this.#token !== undefined && tokens.mayUse(this.#token, name));
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
    const waiters = this.#roomWaiters;
    this.#roomWaiters = undefined;
    for (const waiter of waiters ?? []) waiter.onRoomLost();
  }
}
