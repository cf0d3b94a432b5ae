// The server's own pages and the endpoint where clients connect, on node:http and ws. Each request is handed over with
// its socket by the visitor side; it is answered with `Connection: close`, so that nothing behind it is ever parsed here.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { WebSocketServer } from "ws";
import { createSessionServer, offersProtocol, SessionSocket } from "../mux/ws-transport.ts";
import type { Edge } from "./edge.ts";
import { PendingSockets } from "./pending-sockets.ts";
import { connectPath } from "./routing.ts";

/** What the server does with a client that was let in; `socket` is what its transport runs over. */
export type AcceptClient = (transport: SessionSocket, socket: Socket) => void;

/** Options of {@link OwnHost}. */
export interface OwnHostOptions {
  readonly edge: Edge;
  readonly accept: AcceptClient;
}

interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly reason: string;
  readonly retryAfter?: number;
}

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

  constructor(options: OwnHostOptions) {
    this.#edge = options.edge;
    this.#accept = options.accept;
    const { runtime, limits, muxLimits } = options.edge;
    this.#pending = new PendingSockets({ runtime, handshakeMs: limits.handshakeMs, lingerMs: limits.lingerMs });
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

  /** Takes a socket whose request, `bytes`, is for this server. */
  take(socket: Socket, bytes: Buffer): void {
    this.#pending.add(socket);
    socket.pause();
    socket.unshift(bytes);
    this.#http.emit("connection", socket);
    socket.resume();
  }

  /** Drops what is pending. */
  close(): void {
    this.#pending.close();
  }

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
    const refusal = this.#judge(request);
    if (refusal) {
      this.#edge.runtime.events.sessionConnected(refusal.reason, undefined);
      this.#edge.runtime.events.refused(refusal.reason);
      refuse(socket, refusal);
      this.#pending.linger(request.socket);
      return;
    }
    const own = request.socket;
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#pending.release(own, "accepted");
      this.#accept(new SessionSocket(webSocket, this.#edge.runtime), own);
    });
  };

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
      `Content-Length: ${Buffer.byteLength(body)}\r\n${retry}Connection: close\r\n\r\n${body}`,
  );
}
