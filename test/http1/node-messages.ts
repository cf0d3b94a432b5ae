// The same conversations through node:http, that is, through llhttp: real servers and clients over connections that
// exist in memory only. Nothing is ever answered or sent on.

import { createServer, request } from "node:http";
import type { ClientRequest, IncomingMessage, Server } from "node:http";
import { Duplex } from "node:stream";
import type { Conversation, Message } from "./our-messages.ts";

/** A connection whose other end is whoever calls `push`; it swallows what is written. */
class Line extends Duplex {
  override _read(): void {
    // Bytes come when the test pushes them.
  }

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }

  /** Sockets have it, and node:http calls it. */
  setTimeout(): this {
    return this;
  }

  /** Likewise. */
  setKeepAlive(): this {
    return this;
  }

  /** Likewise. */
  setNoDelay(): this {
    return this;
  }

  /** Likewise. */
  ref(): this {
    return this;
  }

  /** Likewise. */
  unref(): this {
    return this;
  }

  /** Likewise. */
  destroySoon(): void {
    this.destroy();
  }
}

function collect(message: IncomingMessage, start: string): Message {
  const collected: Message = { start, fields: message.rawHeaders, body: "", trailers: [], complete: false };
  message.setEncoding("latin1");
  message.on("data", (text: string) => {
    collected.body += text;
  });
  message.on("end", () => {
    collected.complete = message.complete;
    collected.trailers = message.rawTrailers;
  });
  // A connection that is cut is nothing to wonder about here.
  message.on("error", () => {});
  return collected;
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}

interface ServerLine {
  readonly line: Line;
  readonly messages: Message[];
  end: string;
}

/** node:http as a server. */
export class NodeServer {
  readonly #server: Server;
  readonly #lines = new Map<Duplex, ServerLine>();

  constructor() {
    this.#server = createServer({
      requireHostHeader: false,
      keepAliveTimeout: 0,
      requestTimeout: 0,
      headersTimeout: 0,
    });
    const onRequest = (message: IncomingMessage): void => {
      const start = `${message.method ?? ""} ${message.url ?? ""}`;
      this.#lines.get(message.socket)?.messages.push(collect(message, start));
    };
    this.#server.on("request", onRequest);
    this.#server.on("checkContinue", onRequest);
    this.#server.on("checkExpectation", onRequest);
    const onSwitch = (message: IncomingMessage): void => {
      const line = this.#lines.get(message.socket);
      if (!line) return;
      const start = `${message.method ?? ""} ${message.url ?? ""}`;
      // Where this one's body ends is not asked: node:http takes any protocol for an answer, and all that follows for it.
      line.messages.push({ start, fields: message.rawHeaders, body: "", trailers: [], complete: false });
      line.end = "upgrade";
    };
    this.#server.on("connect", onSwitch);
    this.#server.on("upgrade", onSwitch);
    this.#server.on("clientError", (error, socket) => {
      const line = this.#lines.get(socket);
      if (line && line.end === "more") line.end = codeOf(error);
    });
  }

  /** Begins to read `bytes`; the answer is filled in by the next turn of the event loop. */
  start(bytes: Buffer): { finish(): Conversation } {
    const started: ServerLine = { line: new Line(), messages: [], end: "more" };
    this.#lines.set(started.line, started);
    this.#server.emit("connection", started.line);
    started.line.push(bytes);
    return {
      finish: () => {
        const { messages, end } = started;
        const snapshot = structuredClone({ messages, end });
        this.#lines.delete(started.line);
        started.line.on("error", () => {});
        started.line.destroy();
        return snapshot;
      },
    };
  }
}

/** node:http as a client: begins to read `bytes` as the answer to one request; filled in by the next turns of the event loop. */
export function startResponse(bytes: Buffer, options: { readonly requestIsHead: boolean }): { finish(): Conversation } {
  const line = new Line();
  const messages: Message[] = [];
  let end = "more";
  const client: ClientRequest = request({
    method: options.requestIsHead ? "HEAD" : "GET",
    // Without an agent: it would make a connection of its own.
    createConnection: () => line,
  });
  client.on("information", (info) => {
    messages.push({
      start: `${info.statusCode} ${info.statusMessage}`,
      fields: info.rawHeaders,
      body: "",
      trailers: [],
      complete: true,
    });
  });
  client.on("response", (message) => {
    messages.push(collect(message, `${message.statusCode ?? 0} ${message.statusMessage ?? ""}`));
  });
  client.on("upgrade", (message, socket, head) => {
    const start = `${message.statusCode ?? 0} ${message.statusMessage ?? ""}`;
    messages.push({ start, fields: message.rawHeaders, body: head.toString("latin1"), trailers: [], complete: true });
    end = "upgrade";
    socket.destroy();
  });
  client.on("error", (error) => {
    if (end === "more") end = codeOf(error);
  });
  client.end();
  // The parser is attached when the connection was made, a tick later.
  setImmediate(() => {
    line.push(bytes);
    line.push(null);
  });
  return {
    finish: () => {
      const snapshot = structuredClone({ messages, end });
      client.destroy();
      return snapshot;
    },
  };
}
