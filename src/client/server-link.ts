// One server, for as long as the client runs: logs in, claims the tunnels, and does so again whenever the session is
// lost. It promises at most one login at a time, that a session that is told to go is replaced before it ends where that
// is possible, and that a client that was replaced, closed or revoked never comes back by itself.

import type { WebSocket } from "ws";
import type { Deadline } from "../lifecycle/deadlines.ts";
import { CaissonError } from "../lifecycle/errors.ts";
import type { SessionCloseReason } from "../mux/handlers.ts";
import type { MuxLimits } from "../mux/limits.ts";
import { SessionSocket } from "../mux/session-socket.ts";
import type { GoAwayReason } from "../wire/codes.ts";
import type { Refused } from "../wire/control.ts";
import { Backoff } from "./backoff.ts";
import type { ClientContext, ClientTunnel, TunnelClaim } from "./client-tunnel.ts";
import type { DialFailure, DialOptions } from "./dial.ts";
import { Dial } from "./dial.ts";
import type { Keyring } from "./keyring.ts";
import { endOf, lossText, refusalError } from "./link-endings.ts";
import type { GivenName, LinkSessionOwner, PendingClaim } from "./link-session.ts";
import { LinkSession } from "./link-session.ts";
import type { TunnelFacts } from "./observer.ts";

/** Who holds the links together. */
export interface ServerLinkOwner {
  /** Every claim stands on this server, for the first time. */
  onStood(link: ServerLink): void;
  /** A login failed, or a session was lost. */
  onStumbled(link: ServerLink): void;
  /** Whether a link that never stood may end the client by failing. */
  mayGiveUp(link: ServerLink): boolean;
  /** The link has ended for good, and with it the client. */
  onFailed(link: ServerLink, error: CaissonError): void;
  /** After {@link ServerLink.close}: nothing is held any more. */
  onLinkClosed(link: ServerLink): void;
  /** The name that another link of this client has for the claim, and its key there. */
  nameElsewhere(claim: TunnelClaim): GivenName | undefined;
}

/** What a link works with. */
export interface ServerLinkOptions {
  readonly owner: ServerLinkOwner;
  readonly context: ClientContext;
  readonly dial: Omit<DialOptions, "runtime" | "timeoutMs">;
  /** Those of the client now; it may change between any two calls. */
  readonly claims: ReadonlySet<TunnelClaim>;
  readonly instance: string;
  readonly keyring: Keyring;
  readonly muxLimits: Partial<MuxLimits>;
  /** Randomness of the delays. */
  readonly random: () => number;
}

/** A server that says it is overloaded is left alone for at least this long, in milliseconds. */
const overloadedPauseMs = 5_000;

/** Sessions with one server at once: the one in use, and some that drain. One more ends the oldest. */
const maxSessions = 8;

/** The client's side of one server. */
export class ServerLink implements LinkSessionOwner {
  /** The server, for people. */
  readonly server: string;
  readonly #options: ServerLinkOptions;
  readonly #backoff: Backoff;
  /** Armed while the next login is waited for. */
  readonly #retry: Deadline;
  /** What this server gave for each claim. */
  readonly #given = new Map<TunnelClaim, GivenName>();
  /** Claims that the server closed for good. */
  readonly #over = new Set<TunnelClaim>();
  readonly #sessions = new Set<LinkSession>();
  #dial: Dial | undefined;
  /** The session that takes new streams; others are greeting or draining. */
  #current: LinkSession | undefined;
  #startedAtMs = 0;
  #stood = false;
  #ended = false;
  #closed = false;

  constructor(options: ServerLinkOptions) {
    this.#options = options;
    this.server = options.dial.server.text;
    this.#backoff = new Backoff(options.random);
    this.#retry = options.context.runtime.deadlines.create(() => this.#connect());
  }

  /** Its sessions: the one in use, and those that greet or drain. */
  get sessions(): ReadonlySet<LinkSession> {
    return this.#sessions;
  }

  /** Whether all claims have ever stood here. */
  get stood(): boolean {
    return this.#stood;
  }

  /** Whether a login is under way. */
  get dialing(): boolean {
    return this.#dial !== undefined;
  }

  /** The name that this server gave for a claim. */
  givenName(claim: TunnelClaim): GivenName | undefined {
    return this.#given.get(claim);
  }

  /** The tunnels that stand here now. */
  tunnels(): TunnelFacts[] {
    return [...(this.#current?.tunnels.values() ?? [])].map((tunnel) => this.#factsOf(tunnel, "first"));
  }

  /** Starts to log in, and never stops until it fails for good or is closed. */
  start(): void {
    if (this.#startedAtMs > 0 || this.#ended) return;
    this.#startedAtMs = performance.now();
    this.#connect();
  }

  /** The client has one more claim. */
  add(claim: TunnelClaim): void {
    const session = this.#current;
    if (session?.session.state === "ready") session.register(claim, this.#nameFor(claim));
  }

  /** Asks once more for what was refused or closed. */
  askAgain(): void {
    const claims = [...this.#over];
    // What is refused at once is in the set again.
    this.#over.clear();
    for (const claim of claims) this.add(claim);
  }

  /** The client has given a claim up. */
  remove(claim: TunnelClaim): void {
    this.#given.delete(claim);
    this.#over.delete(claim);
    for (const session of this.#sessions) session.unregister(claim);
  }

  /** Time stood still, or the machine slept, for `gapMs`: what was waited for is tried now. Sessions test themselves. */
  wake(gapMs: number): void {
    if (this.#ended) return;
    if (this.#retry.armed) {
      this.#retry.disarm();
      this.#connect();
    } else if (this.#dial && gapMs >= this.#options.context.limits.dialMs) {
      this.#dial.cancel();
      this.#dial = undefined;
      this.#connect();
    }
  }

  /** Says goodbye: no new streams, those in flight go on. `onLinkClosed` follows when the last has ended. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop();
    for (const { session } of this.#sessions) {
      if (session.state === "greeting") session.terminate("goodbye");
      else session.drain("goodbye");
    }
    this.#announceClosed();
  }

  /** Ends what {@link close} left open: streams are reset, and sessions closed in order or, with `now`, at once. */
  cut(how: "in_order" | "now"): void {
    for (const { session } of this.#sessions) {
      if (how === "now") session.terminate("goodbye");
      else session.close("goodbye");
    }
  }

  // What the dialer calls.

  onDialed(dial: Dial, socket: WebSocket): void {
    const { context, dial: how, instance, muxLimits } = this.#options;
    if (this.#dial === dial) this.#dial = undefined;
    const transport = new SessionSocket(socket, context.runtime);
    const session = new LinkSession({
      owner: this,
      context,
      transport,
      server: this.server,
      version: how.version,
      instance,
      muxLimits,
    });
    this.#sessions.add(session);
    const [oldest] = this.#sessions;
    if (this.#sessions.size > maxSessions) oldest?.session.terminate("drained");
  }

  onDialFailed(dial: Dial, failure: DialFailure): void {
    if (this.#dial === dial) this.#dial = undefined;
    this.#options.context.runtime.events.sessionConnected(failure.result, undefined);
    if (this.#ended) return;
    const { error } = failure;
    const hopeless = failure.advice === "refused" && !this.#stood && this.#options.owner.mayGiveUp(this);
    if (error.code === "E_AUTH" || hopeless) this.#fail(error);
    else this.#stumble({ reason: failure.result, error, atLeastMs: failure.retryAfterMs });
  }

  // What a session calls.

  onReady(session: LinkSession): void {
    if (this.#ended) return;
    this.#current = session;
    for (const claim of this.#options.claims) {
      if (this.#current !== session) return;
      if (!this.#over.has(claim)) session.register(claim, this.#nameFor(claim));
    }
  }

  onRegistered(session: LinkSession, tunnel: ClientTunnel): void {
    const { claim, granted } = tunnel;
    const before = this.#given.get(claim);
    const port = Number(/^tcp:.*:(\d+)$/u.exec(granted.url)?.[1] ?? 0) || undefined;
    this.#given.set(claim, { name: granted.name, resumeKey: granted.resumeKey, port });
    if (claim.name === granted.name) this.#options.keyring.keep(this.server, granted);
    const expected = before?.name ?? this.#options.owner.nameElsewhere(claim)?.name;
    const renamed = expected !== undefined && expected !== granted.name;
    this.#options.context.observer.tunnel(this.#factsOf(tunnel, renamed ? "renamed" : before ? "again" : "first"));
    if (!session.settled || this.#stood) return;
    this.#stood = true;
    this.#options.owner.onStood(this);
  }

  onRefused(session: LinkSession, pending: PendingClaim, refused: Refused): void {
    if (this.#ended) return;
    const { claim, given } = pending;
    if (refused.code === "shutting_down") {
      this.#leave(session);
      session.session.drain("goodbye");
      this.#stumble({
        reason: refused.code,
        error: new CaissonError("E_CONNECT", `${this.server} is shutting down`),
        atLeastMs: 0,
      });
    } else if (claim.port === undefined && given?.port !== undefined && refused.code.startsWith("port_")) {
      // Any port will do; the one it had is not to be had any more.
      session.register(claim, { ...given, port: undefined });
    } else if (claim.name === undefined && given !== undefined && refused.code.startsWith("name_")) {
      // A random name that is not ours any more: any other will do.
      session.register(claim, undefined);
    } else this.#giveUp(session, claim, refusalError(refused, claim, this.server));
  }

  /** Before all claims have stood, one that cannot be had ends the client; later only if it is the last. */
  #giveUp(session: LinkSession, claim: TunnelClaim, error: CaissonError): void {
    const { claims, context } = this.#options;
    this.#over.add(claim);
    if (this.#stood && this.#over.size < claims.size) {
      const { name, pool } = claim;
      context.observer.tunnelRefused({ name, target: pool.target.text, server: this.server, error });
      return;
    }
    if (this.#stood) session.session.drain("goodbye");
    this.#fail(error);
  }

  onTunnelClosed(session: LinkSession, tunnel: ClientTunnel, reason: string): void {
    // Another session of this very process has it.
    if (this.#ended || reason === "superseded") return;
    this.#over.add(tunnel.claim);
    if (this.#over.size < this.#options.claims.size) {
      this.#options.context.observer.tunnelClosed(this.#factsOf(tunnel, "first"), reason);
      return;
    }
    session.session.drain("goodbye");
    this.#fail(
      endOf(reason, this.server) ?? new CaissonError("E_CLOSED", `${this.server} closed the tunnel: ${reason}`),
    );
  }

  onGoAway(session: LinkSession, reason: GoAwayReason): void {
    const end = endOf(reason, this.server);
    if (end) this.#fail(end);
    else if (!this.#leave(session)) return;
    else if (reason === "ids_exhausted" && this.#backoff.failures === 0) {
      // It is counted all the same: a server that says so again and again is not believed.
      this.#backoff.nextDelayMs();
      this.#connect();
    } else {
      this.#stumble({
        reason,
        error: new CaissonError("E_CONNECT", lossText(reason, this.server)),
        atLeastMs: reason === "overloaded" ? overloadedPauseMs : 0,
      });
    }
  }

  onClosed(session: LinkSession, reason: SessionCloseReason): void {
    this.#sessions.delete(session);
    const end = endOf(reason, this.server);
    if (end) this.#fail(end);
    // A session that never became ready failed like a login; one that drained was replaced when it was told to go.
    else if (this.#leave(session) || session.readyAtMs === 0) {
      this.#stumble({ reason, error: new CaissonError("E_CONNECT", lossText(reason, this.server)), atLeastMs: 0 });
    }
    this.#announceClosed();
  }

  #connect(): void {
    if (this.#ended || this.#dial) return;
    this.#retry.disarm();
    const { context, dial } = this.#options;
    this.#dial = new Dial({ ...dial, runtime: context.runtime, timeoutMs: context.limits.dialMs }, this);
  }

  /** The session takes no new streams any more. Answers whether it was the one that did. */
  #leave(session: LinkSession): boolean {
    if (this.#current !== session) return false;
    this.#current = undefined;
    if (performance.now() - session.readyAtMs >= this.#options.context.limits.stableMs) this.#backoff.reset();
    return true;
  }

  /** No session for now: waits, or gives up if there never was one for too long. */
  #stumble(why: { readonly reason: string; readonly error: CaissonError; readonly atLeastMs: number }): void {
    if (this.#ended || this.#current || this.#dial || this.#retry.armed || this.#greeting) return;
    const { owner, context } = this.#options;
    const leftMs = this.#startedAtMs + context.limits.firstConnectMs - performance.now();
    const mayFail = !this.#stood && owner.mayGiveUp(this);
    if (mayFail && leftMs <= 0) {
      this.#fail(why.error);
      return;
    }
    const delayMs = this.#backoff.nextDelayMs(why.atLeastMs);
    const retryMs = mayFail ? Math.min(delayMs, leftMs) : delayMs;
    this.#retry.arm(retryMs);
    const { reason, error } = why;
    context.observer.disconnected({
      server: this.server,
      reason,
      message: error.message,
      retryMs: Math.round(retryMs),
    });
    owner.onStumbled(this);
  }

  /** What to ask for: the name that it had here, in an earlier process, or on another server. */
  #nameFor(claim: TunnelClaim): GivenName | undefined {
    return this.#given.get(claim) ?? this.#remembered(claim) ?? this.#options.owner.nameElsewhere(claim);
  }

  /** The key that an earlier process was given for the name that the claim asks for. */
  #remembered({ name }: TunnelClaim): GivenName | undefined {
    const resumeKey = name === undefined ? undefined : this.#options.keyring.find(this.server, name);
    return name === undefined || resumeKey === undefined ? undefined : { name, resumeKey };
  }

  get #greeting(): boolean {
    for (const { session } of this.#sessions) if (session.state === "greeting") return true;
    return false;
  }

  #fail(error: CaissonError): void {
    if (this.#ended) return;
    this.#stop();
    this.#options.owner.onFailed(this, error);
  }

  /** Nothing new is begun from here on. */
  #stop(): void {
    this.#ended = true;
    this.#current = undefined;
    this.#retry.dispose();
    this.#dial?.cancel();
    this.#dial = undefined;
  }

  #announceClosed(): void {
    if (this.#closed && this.#sessions.size === 0) this.#options.owner.onLinkClosed(this);
  }

  #factsOf(tunnel: ClientTunnel, standing: TunnelFacts["standing"]): TunnelFacts {
    const { kind, pool } = tunnel.claim;
    const { name, url, direct } = tunnel.granted;
    return { kind, name, url, direct, target: pool.target.text, server: this.server, standing };
  }
}
