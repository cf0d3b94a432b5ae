// The traces of exchanges that are not recorded, which are nearly all of a busy server's: each is one small object, and
// its ids are only made into texts of their own when somebody (a log line) asks for them.

import type { ExchangeView, TraceContext } from "../lifecycle/events.ts";
import type { RemoteParent } from "./trace-context.ts";
import { parseTraceparent } from "./trace-context.ts";

const traceIdAt = "traceparent: 00-".length;
const spanIdAt = traceIdAt + 33;

/** A trace that begins here. */
export class FreshTrace implements TraceContext {
  readonly sampled = false;
  readonly headerLines: string;

  /** `line` is a complete `traceparent` of version 00, as {@link TraceIds.unrecordedLine} makes it. */
  constructor(line: string) {
    this.headerLines = line;
  }

  get traceId(): string {
    return this.headerLines.slice(traceIdAt, traceIdAt + 32);
  }

  get spanId(): string {
    return this.headerLines.slice(spanIdAt, spanIdAt + 16);
  }
}

/** A trace that a server of ours has begun or passed on: what it wrote goes on as it is. It refers to the exchange. */
export class PassedTrace implements TraceContext {
  readonly sampled = false;
  readonly headerLines = "";
  readonly #exchange: ExchangeView;

  constructor(exchange: ExchangeView) {
    this.#exchange = exchange;
  }

  get traceId(): string {
    return this.#parent()?.traceId ?? "";
  }

  get spanId(): string {
    return this.#parent()?.spanId ?? "";
  }

  #parent(): RemoteParent | undefined {
    return parseTraceparent(this.#exchange.traceparent);
  }
}
