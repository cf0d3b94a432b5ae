// The two services behind the tunnels of a storm: one speaks HTTP, one says back what it hears. What they do is in the
// path, or in the first byte, and some of it is rude.

import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import { createServer as createHttpServer } from "node:http";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import { listening, portOf } from "../support/ws-pair.ts";

/** The first byte that has the echo reset the connection instead. */
export const rudeByte = 0x58;
/** The answer to the one key that visitors of the storm use. */
const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const switching = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;

/** Both services, on ports of their own. */
export class StormTargets {
  readonly #web: HttpServer;
  readonly #raw: Server;
  readonly #sockets: Set<Socket>;

  private constructor(web: HttpServer, raw: Server, sockets: Set<Socket>) {
    this.#web = web;
    this.#raw = raw;
    this.#sockets = sockets;
  }

  static async start(): Promise<StormTargets> {
    const sockets = new Set<Socket>();
    const keep = (socket: Socket): void => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => sockets.delete(socket));
    };
    const web = createHttpServer(answer);
    web.on("connection", keep);
    web.on("upgrade", (incoming: IncomingMessage, socket: Socket) => {
      socket.write(switching);
      if (incoming.url === "/cut") socket.once("data", () => socket.resetAndDestroy());
      else socket.pipe(socket);
    });
    const raw = createServer({ allowHalfOpen: true }, (socket) => {
      keep(socket);
      socket.once("data", (chunk: Buffer) => {
        if (chunk[0] === rudeByte) socket.resetAndDestroy();
      });
      socket.pipe(socket);
    });
    return new StormTargets(await listening(web), await listening(raw), sockets);
  }

  get webPort(): number {
    return portOf(this.#web);
  }

  get rawPort(): number {
    return portOf(this.#raw);
  }

  async close(): Promise<void> {
    const closed = [this.#web, this.#raw].map(
      (server) => new Promise<void>((resolve) => void server.close(() => resolve())),
    );
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }
}

function answer(incoming: IncomingMessage, response: ServerResponse): void {
  incoming.on("error", () => undefined);
  response.on("error", () => undefined);
  switch (incoming.url) {
    case "/large":
      incoming.resume();
      response.end(Buffer.alloc(300_000, 1));
      return;
    case "/upload":
      incoming.on("end", () => response.end("taken"));
      incoming.resume();
      return;
    case "/reset":
      incoming.socket.resetAndDestroy();
      return;
    case "/half":
      response.writeHead(200, { "Content-Length": 100_000 });
      response.write(Buffer.alloc(10_000), () => incoming.socket.resetAndDestroy());
      return;
    case "/early":
      response.writeHead(413, { "Content-Length": 2 }).end("no");
      return;
    default:
      incoming.resume();
      response.end("ok");
  }
}
