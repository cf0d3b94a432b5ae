// The demo page's live list: every request that the sample target answered, told to open pages by server-sent events.
// It keeps the last few for pages that open later, and drops a page that reads too slowly rather than queue for it.

import type { ServerResponse } from "node:http";
import type { Deadline, Deadlines } from "../../lifecycle/deadlines.ts";

/** A request as the page shows it. */
export interface SeenRequest {
  readonly number: number;
  /** Wall-clock time, ISO 8601. */
  readonly time: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly ms: number;
  /** Who asked, as the server told the target by X-Forwarded-For. */
  readonly visitor: string;
}

/** How many requests a page that has just opened is told about. */
const remembered = 20;
/** A page with more unsent bytes than this is dropped; its EventSource comes back by itself. */
const maxUnsentBytes = 256 * 1024;
/** A comment goes out this often, in milliseconds, so that nothing on the way takes a quiet page for a dead one. */
const heartbeatMs = 15_000;

/** All open pages and the last requests. */
export class RequestFeed {
  readonly #pages = new Set<ServerResponse>();
  readonly #recent: SeenRequest[] = [];
  readonly #heartbeat: Deadline;

  constructor(deadlines: Deadlines) {
    this.#heartbeat = deadlines.create(this.#beat);
  }

  /** How many pages are open. */
  get size(): number {
    return this.#pages.size;
  }

  /** Answers an EventSource. It first hears of the last requests, so that a page that comes back misses little. */
  open(response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write(`retry: 1000\n${this.#recent.map(eventOf).join("")}\n`);
    this.#pages.add(response);
    response.once("close", () => this.#drop(response));
    if (!this.#heartbeat.armed) this.#heartbeat.arm(heartbeatMs);
  }

  /** Tells every page. */
  add(request: SeenRequest): void {
    this.#recent.push(request);
    if (this.#recent.length > remembered) this.#recent.shift();
    this.#send(eventOf(request));
  }

  /** Ends every page's stream. */
  close(): void {
    for (const page of this.#pages) page.end();
    this.#heartbeat.dispose("closed");
  }

  readonly #beat = (): void => {
    this.#send(": still here\n\n");
    if (this.#pages.size > 0) this.#heartbeat.arm(heartbeatMs);
  };

  #send(text: string): void {
    for (const page of this.#pages) {
      if (page.writableLength > maxUnsentBytes) page.destroy();
      else page.write(text);
    }
  }

  #drop(page: ServerResponse): void {
    this.#pages.delete(page);
    if (this.#pages.size === 0) this.#heartbeat.disarm();
  }
}

function eventOf(request: SeenRequest): string {
  return `id: ${request.number}\nevent: request\ndata: ${JSON.stringify(request)}\n\n`;
}
