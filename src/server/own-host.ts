// The server's own pages and the endpoint where clients connect, on node:http and ws. Each request is handed over with
// its socket by the visitor side; it is answered with `Connection: close`, so that nothing behind it is ever parsed here.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { WebSocketServer } from "ws";
import { listenersOf } from "../lifecycle/listener.ts";
import { SessionSocket } from "../mux/session-socket.ts";
import { createSessionServer, offersProtocol } from "../mux/ws-transport.ts";
import type { Edge } from "./edge.ts";
import type { LoginQueueRefusal } from "./login-queue.ts";
import { LoginQueue } from "./login-queue.ts";
import { PendingSockets } from "./pending-sockets.ts";
import { RetrySpread } from "./retry-spread.ts";
import { connectPath } from "./routing.ts";
import type { TokenEntry } from "../tokens/token-table.ts";
import type { OwnConnection } from "./visitor-owner.ts";

/** A client that was let in. */
export interface Login {
  readonly transport: SessionSocket;
  /** What the transport runs over. */
  readonly own: OwnConnection;
  /** What it logged in with; undefined where there are no tokens. */
  readonly token: TokenEntry | undefined;
}

/** What the server does with a client that was let in. */
export type AcceptClient = (login: Login) => void;

/** Options of {@link OwnHost}. */
export interface OwnHostOptions {
  readonly edge: Edge;
  readonly accept: AcceptClient;
  /** How many connections were accepted so far: while there are more, logins wait. */
  readonly accepted: () => number;
}

interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly reason: string;
  readonly retryAfter?: number;
  /** Further response fields, as complete lines. */
  readonly lines?: string;
  /** The answer waits, so that guessing is slow. */
  readonly delayed?: true;
}

/** The same for every token that is not valid, whatever is wrong with it. */
const unauthorized: Refusal = {
  status: 401,
  text: "This server wants a valid token.",
  reason: "unauthorized",
  lines: "WWW-Authenticate: Bearer\r\n",
  delayed: true,
};

/** Seconds after which a token with too many sessions may try again: those that vanished are gone by then. */
const sessionsRetrySeconds = 10;

/**
 * Those who find no place among the logins that wait are asked to come again at this pace, in milliseconds: 500 in a
 * second, about half of what one processor can let in. Not sooner than the queue is shorter, nor so late that
 * a client seems to be dead.
 */
const crowdPace = { paceMs: 2, leastMs: 2_000, mostMs: 60_000 } as const;

const unreadable: Refusal = { status: 400, text: "Only GET and HEAD work here.", reason: "own_request" };

/** More than a visitor's head can come to with what is added to it. */
const maxOwnHeadBytes = 32_768;

/** Answers requests for the server itself. */
export class OwnHost {
  readonly #edge: Edge;
  readonly #accept: AcceptClient;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  readonly #pending: PendingSockets;
  readonly #waiting: LoginQueue;
  readonly #spread = new RetrySpread(crowdPace);
  /** What is known of the sockets that were handed over, for as long as they are. */
  readonly #taken = new WeakMap<Socket, OwnConnection>();

  constructor(options: OwnHostOptions) {
    this.#edge = options.edge;
    this.#accept = options.accept;
    const { runtime, limits, muxLimits } = options.edge;
    this.#pending = new PendingSockets({ runtime, handshakeMs: limits.handshakeMs, lingerMs: limits.lingerMs });
    this.#waiting = new LoginQueue({
      maxWaiting: limits.maxWaitingLogins,
      maxWaitMs: limits.loginWaitMs,
      accepted: options.accepted,
      take: this.#handOver,
      refuse: this.#turnAway,
    });
    this.#webSockets = createSessionServer({ closeTimeoutMs: muxLimits.closeTimeoutMs });
    // It never listens, and so never looks at its own timeouts: those above are what counts.
    this.#http = createServer({ keepAliveTimeout: 1, maxHeaderSize: maxOwnHeadBytes }, this.#onRequest);
    this.#http.on("upgrade", this.#onUpgrade);
    this.#http.on("clientError", this.#onUnreadable);
  }

  /** Sockets that were handed over and have not become sessions. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Those of them that wait for their login. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Listeners on the internal servers for pages and sessions. */
  get listeners(): number {
    return listenersOf(this.#http) + listenersOf(this.#webSockets);
  }

  /** Takes a socket whose request is for this server. */
  take(own: OwnConnection): void {
    const { socket } = own;
    socket.pause();
    this.#pending.add(socket);
    if (!own.login) {
      this.#handOver(own);
      return;
    }
    const refusal = this.#waiting.add(own);
    if (refusal) this.#turnAway(own, refusal);
  }

  /** Drops what is pending. */
  close(): void {
    this.#waiting.close();
    this.#pending.close();
  }

  readonly #handOver = (own: OwnConnection): void => {
    const { socket, bytes } = own;
    this.#taken.set(socket, own);
    socket.unshift(bytes);
    this.#http.emit("connection", socket);
    socket.resume();
  };

  /** Nothing of its request is looked at, and nothing is awaited: this has to cost less than what it saves. */
  readonly #turnAway = ({ socket }: OwnConnection, reason: LoginQueueRefusal): void => {
    const { events } = this.#edge.runtime;
    events.sessionConnected(reason, undefined);
    events.refused(reason);
    const retryAfter = this.#spread.nextSeconds(performance.now());
    refuse(socket, { status: 503, text: "Too many clients log in at once.", reason, retryAfter });
    // Clients say nothing behind their request before they are answered, so that no reset overtakes the answer. The
    // socket stays pending until it is closed: one that does not take its answer is destroyed in time.
    socket.destroySoon();
  };

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    response.shouldKeepAlive = false;
    const path = request.url?.split("?", 1)[0];
    if (path === connectPath && request.headers.origin !== undefined) {
      this.#edge.runtime.events.refused("origin");
      send(response, 403, "Web pages cannot connect as clients.");
    } else if (request.method !== "GET" && request.method !== "HEAD")
      send(response, 405, "Only GET and HEAD work here.");
    else if (path === connectPath) send(response, 426, "This is where Caisson clients connect, by WebSocket.");
    else if (path === "/")
      send(response, 200, `This is a Caisson server. Tunnels are at names under ${this.#edge.address.domain}.`);
    else send(response, 404, "There is nothing here.");
  };

  /** The head was fine for us, but has a method, say, that node:http does not know; or bytes came behind the request. */
  readonly #onUnreadable = (_: Error, socket: Duplex): void => {
    if (!(socket instanceof Socket) || socket.writableEnded || socket.bytesWritten > 0) {
      socket.destroy();
      return;
    }
    refuse(socket, unreadable);
    this.#pending.linger(socket);
  };

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const admission = this.#judge(request) ?? this.#authenticate(request);
    if ("status" in admission) {
      this.#refuse(request.socket, admission);
      return;
    }
    const own = this.#taken.get(request.socket);
    if (!own) {
      socket.destroy();
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#pending.release(own.socket, "accepted");
      // The session lives for days; its request head, and the slab that it is a part of, need not.
      this.#taken.delete(own.socket);
      this.#accept({ transport: new SessionSocket(webSocket, this.#edge.runtime), own, ...admission });
    });
  };

  #refuse(socket: Socket, refusal: Refusal): void {
    const { runtime, limits } = this.#edge;
    runtime.events.sessionConnected(refusal.reason, undefined);
    runtime.events.refused(refusal.reason);
    if (refusal.delayed) this.#pending.answerLater(socket, limits.authDelayMs, () => refuse(socket, refusal));
    else {
      refuse(socket, refusal);
      this.#pending.linger(socket);
    }
  }

  #authenticate(request: IncomingMessage): Refusal | Pick<Login, "token"> {
    const { tokens, runtime, limits } = this.#edge;
    if (!tokens) return { token: undefined };
    const verdict = tokens.judge(request.headers.authorization, this.#guesserOf(request));
    if ("refusal" in verdict) {
      runtime.events.refused(verdict.refusal);
      const { retrySeconds } = verdict;
      if (retrySeconds === 0) return unauthorized;
      return { ...unauthorized, status: 429, reason: "guesses", retryAfter: retrySeconds };
    }
    if (tokens.countSessions(verdict.token) < limits.maxSessionsPerToken) return verdict;
    const text = "This token has as many sessions as it may.";
    return { status: 503, text, reason: "token_sessions", retryAfter: sessionsRetrySeconds };
  }

  /** Whose guess a wrong token is: the client's as far as a proxy in front tells, which alone knows it. */
  #guesserOf(request: IncomingMessage): string {
    const peer = this.#taken.get(request.socket)?.address ?? "";
    const forwarded = request.headers["x-forwarded-for"];
    if (typeof forwarded !== "string" || peer === "" || !this.#edge.trusted.has(peer)) return peer;
    return forwarded.slice(-64).split(",").at(-1)?.trim() ?? peer;
  }

  #judge(request: IncomingMessage): Refusal | undefined {
    if (request.url?.split("?", 1)[0] !== connectPath)
      return { status: 404, text: "Nothing to upgrade to here.", reason: "no_endpoint" };
    if (request.headers.origin !== undefined) {
      return { status: 403, text: "Web pages cannot connect as clients.", reason: "origin" };
    }
    if (!offersProtocol(request.headers["sec-websocket-protocol"])) {
      return { status: 400, text: "Clients of this server speak the subprotocol caisson.v1.", reason: "subprotocol" };
    }
    if (!this.#edge.accepting)
      return { status: 503, text: "The server is shutting down.", reason: "shutting_down", retryAfter: 5 };
    if (this.#edge.sessions.size >= this.#edge.limits.maxSessions) {
      return {
        status: 503,
        text: "The server has as many sessions as it may.",
        reason: "max_sessions",
        retryAfter: 10,
      };
    }
    const overload = this.#edge.overload.refusesSessions();
    if (overload !== undefined) {
      return { status: 503, text: "The server is short of memory.", reason: overload, retryAfter: 10 };
    }
    return undefined;
  }
}

const securityFields = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'",
  "X-Content-Type-Options": "nosniff",
};

function send(response: ServerResponse, status: number, text: string): void {
  const body = `${text}\n`;
  response.writeHead(status, {
    ...securityFields,
    "Content-Type": "text/plain; charset=utf-8",
    // The visitor may speak HTTP/1.0, which this listener is not told.
    "Content-Length": Buffer.byteLength(body),
    Connection: "close",
  });
  response.end(body);
}

function refuse(socket: Duplex, refusal: Refusal): void {
  const retry = refusal.retryAfter === undefined ? "" : `Retry-After: ${refusal.retryAfter}\r\n`;
  const body = `${refusal.text}\n`;
  socket.end(
    `HTTP/1.1 ${refusal.status} Refused\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n${retry}${refusal.lines ?? ""}Connection: close\r\n\r\n${body}`,
  );
}
