// A server that speaks the wire by hand over real WebSockets: it lets clients in, grants what they ask for, and then
// says what a test wants.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { WebSocket, WebSocketServer } from "ws";
import { createSessionServer } from "../../src/mux/ws-transport.ts";
import { decodeFrames } from "../../src/wire/decode.ts";
import type { FrameType } from "../../src/wire/frame.ts";
import { frameTypes } from "../../src/wire/frame.ts";
import type { SeenFrame } from "../support/raw-peer.ts";
import { control, hello } from "../support/raw-peer.ts";
import { until } from "../support/until.ts";

const typeNames: ReadonlyMap<number, FrameType> = new Map(
  Object.entries(frameTypes).map(([name, type]) => [type, name as FrameType]),
);

/** One session of a client, seen from the server. */
export class WireLogin {
  readonly frames: SeenFrame[] = [];
  /** The client has closed the WebSocket, and with which code. */
  closeCode: number | undefined;
  readonly socket: WebSocket;

  constructor(socket: WebSocket, server: WireServer) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("message", (data: Buffer) => this.#onMessage(data, server));
    socket.on("close", (code) => {
      this.closeCode = code;
    });
    for (const first of server.firstWords) this.socket.send(first);
  }

  /** Sends one message of the given frames. */
  send(...frames: readonly Buffer[]): void {
    this.socket.send(Buffer.concat(frames), { binary: true });
  }

  /** Frames of one type, in order. */
  seen(type: FrameType): SeenFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** Waits until the client has closed the session. */
  async gone(): Promise<void> {
    await until(() => this.closeCode !== undefined, { what: "the session is closed", detail: () => this.frames });
  }

  #onMessage(message: Buffer, server: WireServer): void {
    decodeFrames(message, {
      onFrame: (number, flags, stream, bytes, start, end) => {
        const type = typeNames.get(number) ?? assert.fail(`frame type ${number}`);
        const frame = { type, end: flags === 1, stream, payload: Buffer.from(bytes.subarray(start, end)) };
        this.frames.push(frame);
        if (type === "control")
          this.#onControl(JSON.parse(frame.payload.toString()) as { type: string; id: number }, server);
      },
    });
  }

  #onControl(message: { readonly type: string; readonly id: number }, server: WireServer): void {
    if (message.type !== "register") return;
    const granted = server.grant(message.id);
    if (granted) this.send(control(granted));
  }
}

/** The server. Everything of it that a test may change is public. */
export class WireServer {
  readonly logins: WireLogin[] = [];
  /** Messages that each client is greeted with. */
  firstWords: readonly (Buffer | string)[] = [hello()];
  /** What a registration is answered with. */
  grant: (id: number) => object | undefined = (id) => ({
    type: "registered",
    id,
    name: "demo",
    url: "http://demo.test",
    direct: { url: "http://127.0.0.1", host: "demo.test" },
    resumeKey: "key",
  });
  readonly #http: Server = createServer();
  readonly #ws: WebSocketServer = createSessionServer({ closeTimeoutMs: 2_000 });
  readonly #sockets = new Set<Duplex>();

  static async start(): Promise<WireServer> {
    const server = new WireServer();
    server.#http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      server.#ws.handleUpgrade(request, socket, head, (webSocket) => {
        server.logins.push(new WireLogin(webSocket, server));
      });
    });
    server.#http.on("connection", (socket: Duplex) => {
      server.#sockets.add(socket);
      socket.on("close", () => server.#sockets.delete(socket));
    });
    server.#http.listen(0, "127.0.0.1");
    await once(server.#http, "listening");
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** The nth login, once it has asked for its tunnels. */
  async login(n: number): Promise<WireLogin> {
    await until(() => (this.logins[n]?.seen("control").length ?? 0) >= 2, { what: `login ${n}` });
    return this.logins[n] ?? assert.fail();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#http, "close");
    this.#http.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
