// One client of the sample server: its WebSocket and the requests that it has not answered yet.

import type { ServerResponse } from "node:http";
import type { RawData, WebSocket } from "ws";

/** A connected client under one name. */
export class ClientConnection {
  readonly name: string;
  readonly connectedAtMs: number = Date.now();
  readonly #socket: WebSocket;
  readonly #waiting: Map<number, ServerResponse> = new Map();
  #last = 0;

  constructor(name: string, socket: WebSocket) {
    this.name = name;
    this.#socket = socket;
    socket.on("message", (data: RawData) => {
      if (Buffer.isBuffer(data)) this.#answer(data.toString("utf8"));
    });
    socket.on("error", () => socket.terminate());
    socket.once("close", () => this.#fail());
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Tells the client that it is known. */
  greet(): void {
    this.#socket.send(JSON.stringify({ id: 0, body: `hello ${this.name}` }));
  }

  /** Sends a visitor's request; its answer comes with the same number. */
  forward(path: string, response: ServerResponse): void {
    this.#last += 1;
    const id = this.#last;
    this.#waiting.set(id, response);
    response.once("close", () => this.#waiting.delete(id));
    this.#socket.send(JSON.stringify({ id, path }));
  }

  #answer(text: string): void {
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== "object" || answer === null || !("id" in answer) || !("body" in answer)) return;
    this.#waiting.get(Number(answer.id))?.end(String(answer.body));
  }

  #fail(): void {
    for (const response of this.#waiting.values()) response.writeHead(502).end("the client left\n");
    this.#waiting.clear();
  }
}
