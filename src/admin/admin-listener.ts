// The private listener: answers operators, scrapers and scripts, and nobody else. It owns its server, its connections and
// its own deadlines, none of which the ledgers count. It promises bounded memory whatever peers do: connections are few,
// stalled ones are cut, and a scrape that nobody reads is held once.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { Deadlines } from "../lifecycle/deadlines.ts";
import type { Deadline } from "../lifecycle/deadlines.ts";
import { noEvents } from "../lifecycle/events.ts";
import { Redactor } from "../observe/redactor.ts";
import type { AdminAddress } from "./admin-address.ts";
import { listenPrivately } from "./admin-address.ts";
import { AdminAuth } from "./admin-auth.ts";
import { AdminGate } from "./admin-gate.ts";
import type { Answer } from "./answer.ts";
import { problem } from "./answer.ts";
import { ConnectionTable } from "./connection-table.ts";
import type { GuessLimits } from "../tokens/guess-limiter.ts";
import { LiveFeed } from "./live-feed.ts";
import { canBeShownLive } from "./live-meter.ts";
import { diagRoutes, liveRoutes } from "./live-routes.ts";
import { loginRoutes } from "./login-routes.ts";
import { pageRoutes } from "./page-routes.ts";
import { pprofRoutes } from "./pprof-routes.ts";
import type { PprofLoad } from "./pprof-engine.ts";
import { Profiler } from "./profiler.ts";
import { roleRoutes } from "./role-routes.ts";
import { Router } from "./router.ts";
import { sendAnswer } from "./send-answer.ts";
import { snapshotRoutes } from "./snapshot-routes.ts";
import type { AdminSubject } from "./subject.ts";

/** Options of {@link AdminListener}. */
export interface AdminListenerOptions {
  readonly address: AdminAddress;
  readonly subject: AdminSubject;
  /** The admin token; see loadAdminToken(). */
  readonly token: string;
  /** Further names that Host may hold. */
  readonly hosts?: readonly string[];
  /** Hears of handlers that threw. */
  readonly onFault: (error: unknown) => void;
  /** Hears of wrong tokens, by peer; at most as often as the limiter lets guesses through. */
  readonly onGuess?: (peer: string) => void;
  /** How many connections there may be; beyond, the one that was quiet for longest is closed. Default 64. */
  readonly maxConnections?: number;
  /** A peer that takes or sends nothing for so long is cut, in milliseconds. Default 10,000. */
  readonly stallMs?: number;
  readonly guesses?: GuessLimits;
  /** Loads the profiler; for tests. */
  readonly loadPprof?: () => Promise<PprofLoad>;
}

/** How long answers in flight may take when the listener closes, in milliseconds. */
const closeMs = 1_000;
const maxHeadBytes = 16 * 1024;

/** One listener. */
export class AdminListener {
  readonly #options: AdminListenerOptions;
  readonly #server: Server;
  readonly #deadlines: Deadlines = new Deadlines({ events: noEvents });
  readonly #profiler: Profiler;
  readonly #forced: Deadline;
  readonly #connections: ConnectionTable;
  readonly #feed: LiveFeed | undefined;
  #auth: AdminAuth | undefined;
  #gate: AdminGate | undefined;
  #address: AdminAddress;
  #closing: Promise<void> | undefined;

  constructor(options: AdminListenerOptions) {
    const stallMs = options.stallMs ?? 10_000;
    this.#options = options;
    this.#address = options.address;
    this.#profiler = new Profiler(this.#deadlines, options.loadPprof);
    this.#connections = new ConnectionTable(options.maxConnections ?? 64);
    const { subject, onFault } = options;
    if (canBeShownLive(subject)) this.#feed = new LiveFeed({ subject, deadlines: this.#deadlines, onFault });
    this.#forced = this.#deadlines.create(() => this.#connections.cutAll());
    this.#server = createServer({
      maxHeaderSize: maxHeadBytes,
      headersTimeout: stallMs,
      requestTimeout: stallMs,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: Math.min(1_000, stallMs),
    });
    this.#server.timeout = stallMs;
    this.#server.on("connection", this.#onConnection).on("request", this.#onRequest);
  }

  /** Starts to listen. Throws E_LISTEN. */
  async listen(): Promise<void> {
    const { token, subject, hosts = [], guesses } = this.#options;
    this.#address = await listenPrivately(this.#server, this.#options.address);
    this.#server.on("error", this.#options.onFault);
    const suffix = "port" in this.#address ? `_${this.#address.port}` : "";
    const auth = new AdminAuth({ token, cookieName: `caisson_admin${suffix}`, ...(guesses && { guesses }) });
    this.#auth = auth;
    const ownRoutes = [...roleRoutes(subject), ...snapshotRoutes(subject)];
    this.#gate = new AdminGate({
      auth,
      hosts: "host" in this.#address ? [...hosts, this.#address.host] : hosts,
      router: new Router([
        ...ownRoutes,
        ...diagRoutes(ownRoutes, new Redactor({ secrets: [token] })),
        ...liveRoutes(this.#feed),
        ...pprofRoutes(this.#profiler),
        ...pageRoutes(),
        ...loginRoutes(auth),
      ]),
      onGuess: this.#options.onGuess ?? ignore,
    });
  }

  /** Where it listens, with the port that the system gave. */
  get address(): AdminAddress {
    return this.#address;
  }

  /** For people and scripts: `http://127.0.0.1:9190`, or `unix:/path`. */
  get url(): string {
    const address = this.#address;
    if ("path" in address) return `unix:${address.path}`;
    return `http://${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
  }

  /** How many connections there are, requests in flight on them, and live pages among those. */
  get load(): { readonly connections: number; readonly requests: number; readonly pages: number } {
    return {
      connections: this.#connections.size,
      requests: this.#connections.inFlight,
      pages: this.#feed?.size ?? 0,
    };
  }

  /** The URL of the live page with a code that signs in once, for a terminal. Only once it listens. */
  signedInUrl(): string {
    return `${this.url}/#code=${this.#auth?.issueCode() ?? ""}`;
  }

  /** Stops listening, lets answers in flight end for a second, and releases everything. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  readonly #onConnection = (socket: Socket): void => this.#connections.add(socket);

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void this.#serve(request, response);
  };

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const gone = this.#connections.begin(socket);
    if (!gone) return;
    response.once("close", () => this.#connections.end(socket, gone));
    // The answer may take its time (a profile, a snapshot); what must not stall is its way to the peer.
    socket.setTimeout(0);
    const answer = await this.#answer(request, gone.signal);
    socket.setTimeout(this.#options.stallMs ?? 10_000);
    try {
      await sendAnswer(request, { response, answer });
    } catch (error) {
      this.#options.onFault(error);
      response.destroy();
    }
  }

  async #answer(request: IncomingMessage, gone: AbortSignal): Promise<Answer> {
    try {
      return (await this.#gate?.answer(request, gone)) ?? problem("not_ready", "the listener is closing");
    } catch (error) {
      this.#options.onFault(error);
      return problem("internal", "this went wrong; the log says why");
    }
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#profiler.dispose();
    this.#feed?.close();
    this.#connections.closeWhenIdle();
    this.#forced.arm(closeMs);
    await closed;
    this.#forced.dispose("closed");
    this.#gate = undefined;
    this.#auth = undefined;
  }
}

function ignore(): void {}
