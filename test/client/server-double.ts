// A server for tests of the client: accepts logins on a real port, and lets a test decide what it says to each.

import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Duplex } from "node:stream";
import type { WebSocketServer } from "ws";
import { noEvents } from "../../src/lifecycle/events.ts";
import { fanout } from "../../src/lifecycle/fanout.ts";
import type { Runtime } from "../../src/lifecycle/runtime.ts";
import { createRuntime } from "../../src/lifecycle/runtime.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import type { SessionCloseReason, SessionHandler } from "../../src/mux/handlers.ts";
import { Session } from "../../src/mux/session.ts";
import { SessionSocket } from "../../src/mux/session-socket.ts";
import { createSessionServer } from "../../src/mux/ws-transport.ts";
import type { GoAwayReason } from "../../src/wire/codes.ts";
import type { ControlMessage, Hello, Register, RegisterRefusal } from "../../src/wire/control.ts";
import { until } from "../support/until.ts";
import { testCertificate, testKey } from "../support/certificate.ts";
import { portOf } from "./targets.ts";

/** How a login is answered: `accept`, or an HTTP status with its fields and text, or not at all. */
export type LoginAnswer =
  | "accept"
  | "silence"
  | { readonly status: number; readonly headers?: Record<string, string>; readonly text?: string };

/** One session of a client. */
export class Login implements SessionHandler {
  readonly session: Session;
  readonly registrations: Register[] = [];
  readonly goodbyes: GoAwayReason[] = [];
  hello: Hello | undefined;
  closedBy: SessionCloseReason | undefined;
  readonly #server: ServerDouble;

  constructor(server: ServerDouble, transport: SessionSocket) {
    this.#server = server;
    this.session = new Session({
      role: "server",
      transport,
      runtime: server.runtime,
      handler: this,
      peer: "client",
      hello: { version: "0.0.0", instance: "server", maxStreams: 100 },
      limits: { closeTimeoutMs: 2_000 },
    });
  }

  onReady(_: Session, hello: Hello): void {
    this.hello = hello;
  }

  onOpen(): "no_tunnel" {
    return "no_tunnel";
  }

  onControl(_: Session, message: ControlMessage): void {
    if (message.type !== "register") return;
    this.registrations.push(message);
    const answer = this.#server.onRegister(message);
    if (answer === undefined) return;
    if (answer.code === undefined) {
      this.session.sendControl({
        type: "registered",
        id: message.id,
        name: answer.name,
        url: `http://${answer.name}.test`,
        direct: { url: "http://127.0.0.1", host: `${answer.name}.test` },
        resumeKey: `key of ${answer.name}`,
      });
    } else this.session.sendControl({ type: "refused", id: message.id, code: answer.code, message: "not for you" });
  }

  onGoAway(_: Session, reason: GoAwayReason): void {
    this.goodbyes.push(reason);
    this.session.drain("shutdown");
  }

  onRoom(): void {}

  onClosed(_: Session, reason: SessionCloseReason): void {
    this.closedBy = reason;
  }
}

/** What a registration is answered with; undefined for nothing. */
export type RegisterAnswer =
  | { readonly name: string; readonly code?: undefined }
  | { readonly code: RegisterRefusal }
  | undefined;

/** The server. */
export class ServerDouble {
  readonly ledger: Ledger = new Ledger();
  readonly faults: unknown[] = [];
  readonly runtime: Runtime;
  readonly logins: Login[] = [];
  /** What each attempt asked with, also the refused ones. */
  readonly requests: IncomingMessage[] = [];
  answer: LoginAnswer = "accept";
  onRegister: (message: Register) => RegisterAnswer = ({ name }) => ({ name: name ?? "random" });
  readonly #http: Server;
  readonly #ws: WebSocketServer = createSessionServer({ closeTimeoutMs: 2_000 });
  readonly #scheme: "ws" | "wss";
  readonly #sockets = new Set<Duplex>();

  private constructor(tls: boolean) {
    const watch = { ...noEvents, faulted: (where: string, error: unknown) => void this.faults.push({ where, error }) };
    this.runtime = createRuntime(fanout(this.ledger, watch));
    this.#scheme = tls ? "wss" : "ws";
    this.#http = tls ? createTlsServer({ cert: testCertificate, key: testKey }) : createServer();
    this.#http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.requests.push(request);
      this.#onUpgrade(request, socket, head);
    });
    this.#http.on("connection", (socket: Duplex) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.#http.on("request", (_: IncomingMessage, response: ServerResponse) => void response.writeHead(404).end());
  }

  static async open(
    options: { readonly tls: boolean; readonly port?: number } = { tls: false },
  ): Promise<ServerDouble> {
    const server = new ServerDouble(options.tls);
    server.#http.listen(options.port ?? 0, "127.0.0.1");
    await once(server.#http, "listening");
    return server;
  }

  get port(): number {
    return portOf(this.#http);
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** The nth login that was accepted, when its tunnels have been asked for. */
  async login(n: number): Promise<Login> {
    await until(() => (this.logins[n]?.registrations.length ?? 0) > 0, { what: `login ${n}` });
    const login = this.logins[n];
    if (!login) throw new Error("the login has gone");
    return login;
  }

  /** Breaks every connection. */
  breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const { session } of this.logins) session.terminate("shutdown");
    this.breakAll();
    this.#http.close();
    await once(this.#http, "close");
    await until(() => Object.keys(this.ledger.outstanding).length === 0, {
      what: "the server holds nothing",
      detail: () => this.ledger.outstanding,
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { answer } = this;
    if (answer === "silence") return;
    if (answer !== "accept") {
      const { status, headers = {}, text = "" } = answer;
      const fields = { "Content-Length": String(text.length), Connection: "close", ...headers };
      const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(`HTTP/1.1 ${status} Answer\r\n${lines.join("")}\r\n${text}`);
      return;
    }
    this.#ws.handleUpgrade(request, socket, head, (webSocket) => {
      this.logins.push(new Login(this, new SessionSocket(webSocket, this.runtime)));
    });
  }
}
