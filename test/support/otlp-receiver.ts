// A collector for tests, in a process of its own: what it received can be waited for. It may also be slow, fail, or never answer.

import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ReceivedSpan } from "./otlp-spans.ts";
import { until } from "./until.ts";

/** How a collector behaves: `slow` answers after 1.5 s, `failing` with 400, `silent` not at all. */
export type CollectorManner = "good" | "slow" | "failing" | "silent";

interface Message {
  readonly port?: number;
  readonly encoding?: string;
  readonly spans?: readonly ReceivedSpan[];
}

/** A running collector. */
export class OtlpReceiver {
  /** Everything that arrived so far. */
  readonly spans: ReceivedSpan[] = [];
  readonly encodings: Set<string> = new Set();
  requests = 0;
  readonly #child: ChildProcess;
  #port = 0;

  private constructor(manner: CollectorManner) {
    this.#child = fork(fileURLToPath(new URL("otlp-process.js", import.meta.url)), [manner]);
    this.#child.on("message", (message) => this.#onMessage(message as Message));
  }

  /** Starts it; dispose of it with `await using`. */
  static async start(manner: CollectorManner = "good"): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver(manner);
    await until(() => receiver.#port !== 0, { what: "the collector listens" });
    return receiver;
  }

  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Waits for a span, past or to come. */
  async span(what: string, matches: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
    await until(() => this.spans.some(matches), {
      what: `the span: ${what}`,
      detail: () => this.spans.map(({ service, name, attributes }) => ({ service, name, attributes })),
    });
    const found = this.spans.find(matches);
    if (!found) throw new Error(`no such span: ${what}`);
    return found;
  }

  /** The direct children of a span. */
  childrenOf(parent: ReceivedSpan): ReceivedSpan[] {
    return this.spans.filter(
      ({ traceId, parentSpanId }) => traceId === parent.traceId && parentSpanId === parent.spanId,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  #onMessage({ port, encoding, spans }: Message): void {
    if (port !== undefined) this.#port = port;
    if (encoding === undefined) return;
    this.requests += 1;
    this.encodings.add(encoding);
    this.spans.push(...(spans ?? []));
  }
}
