// Two sessions over a real WebSocket on 127.0.0.1, with or without TLS, through a relay that may cut the bytes into pieces.

import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Server, Socket } from "node:net";
import { connect, createServer as createTcpServer } from "node:net";
import type { WebSocket } from "ws";
import { createRuntime } from "../../src/lifecycle/runtime.ts";
import { SessionSocket } from "../../src/mux/session-socket.ts";
import { createSessionServer, dialWebSocket } from "../../src/mux/ws-transport.ts";
import { testCertificate, testKey } from "./certificate.ts";
import { CountingEvents } from "./counting-events.ts";
import type { SessionPair, SessionPairOptions } from "./session-pair.ts";
import { bothReady, joinSessions } from "./session-pair.ts";
import { until } from "./until.ts";

/** The port of a listening server. */
export function portOf(server: Server | HttpServer): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen on a port");
  return address.port;
}

/** Listens on a free port of 127.0.0.1. */
export async function listening<T extends Server | HttpServer>(server: T): Promise<T> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** How a relay passes bytes on. */
export interface RelayOptions {
  /** Each chunk is passed on in writes of at most so many bytes. */
  readonly pieceBytes?: number;
  /** After so many bytes from the client both sockets are destroyed. */
  readonly cutAfterBytes?: number;
}

/** A TCP relay in front of a port. */
export async function relay(port: number, options: RelayOptions): Promise<Server> {
  const { pieceBytes = Infinity, cutAfterBytes = Infinity } = options;
  const server = createTcpServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: "127.0.0.1", noDelay: true });
    let passed = 0;
    const pass = (from: Socket, to: Socket, counts: boolean): void => {
      from.on("data", (chunk: Buffer) => {
        for (let at = 0; at < chunk.length; at += pieceBytes) {
          const piece = chunk.subarray(at, Math.min(chunk.length, at + pieceBytes));
          if (counts) passed += piece.length;
          if (passed > cutAfterBytes) {
            near.destroy();
            far.destroy();
            return;
          }
          to.write(piece);
        }
        if (to.writableLength > 1_000_000) {
          from.pause();
          to.once("drain", () => from.resume());
        }
      });
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
    };
    pass(near, far, true);
    pass(far, near, false);
  });
  return listening(server);
}

/** What joins the two sessions. */
export interface WebSocketPairOptions extends Omit<SessionPairOptions, "latencyMs" | "bytesPerMs" | "cutAfterBytes"> {
  readonly mask?: "zero" | "random";
  /** Over `wss://`. Default false. */
  readonly tls?: boolean;
  readonly relay?: RelayOptions;
  readonly closeTimeoutMs?: number;
}

/** Two sessions and what carries them. */
export interface WebSocketPair extends SessionPair {
  readonly serverSocket: WebSocket;
  readonly clientSocket: WebSocket;
  /** The ledgers of the two transports. */
  readonly transportEvents: CountingEvents;
  /** Ends both sessions and the servers. */
  settle(): Promise<void>;
  /** Ends the servers alone, once the sessions are gone. */
  stop(): Promise<void>;
}

/** Joins two sessions by a WebSocket. */
export async function webSocketPair(options: WebSocketPairOptions = {}): Promise<WebSocketPair> {
  const transportEvents = new CountingEvents();
  const runtime = createRuntime(transportEvents);
  const endpoint = createSessionServer({ closeTimeoutMs: options.closeTimeoutMs ?? 30_000 });
  const tls = options.tls === true;
  const http = await listening(tls ? createTlsServer({ cert: testCertificate, key: testKey }) : createServer());
  const front = options.relay ? await relay(portOf(http), options.relay) : undefined;
  const accepted = new Promise<WebSocket>((resolve) => {
    http.on("upgrade", (request, socket, head) => endpoint.handleUpgrade(request, socket, head, resolve));
  });
  const clientSocket = dialWebSocket(`${tls ? "wss" : "ws"}://127.0.0.1:${portOf(front ?? http)}/`, {
    ...(tls ? { ca: testCertificate } : {}),
    mask: options.mask ?? "zero",
    handshakeTimeoutMs: 5000,
    closeTimeoutMs: options.closeTimeoutMs ?? 30_000,
  });
  const stop = async (): Promise<void> => {
    http.close();
    front?.close();
    await until(() => Object.keys(transportEvents.outstanding).length === 0, { what: "the sockets are closed" });
  };
  // The client may hear from the server in the very packet that opens it, so it is listened to at once.
  const opened = new Promise<SessionSocket>((resolve, reject) => {
    clientSocket.once("error", reject);
    clientSocket.once("open", () => {
      clientSocket.off("error", reject);
      resolve(new SessionSocket(clientSocket, runtime));
    });
  });
  const serverSocket = await accepted;
  const serverEnd = new SessionSocket(serverSocket, runtime);
  const pair = joinSessions(serverEnd, await opened, options);
  await bothReady(pair);
  const settle = async (): Promise<void> => {
    await pair.settle();
    await stop();
  };
  return { ...pair, serverSocket, clientSocket, transportEvents, settle, stop };
}
