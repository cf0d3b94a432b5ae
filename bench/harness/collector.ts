// A collector that takes every span and keeps none: what sending spans costs is the sender's, not this process's.

import type { Server } from "node:http";
import { createServer } from "node:http";
import { portOf } from "../gate/network/port-of.ts";

/** A listening collector. */
export class Collector {
  readonly #server: Server;
  /** Requests answered so far. */
  answered = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      request.resume().once("end", () => {
        this.answered += 1;
        response.end();
      });
    });
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => void collector.#server.listen(0, "127.0.0.1", resolve));
    return collector;
  }

  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  get url(): string {
    return `http://127.0.0.1:${portOf(this.#server)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}
