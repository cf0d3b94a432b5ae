// Seeds: each request starts a span, and the path of a visitor that leaves never ends it.
// Real case: elysia's opentelemetry plugin #62.
// Rate: one span per request that its visitor aborts. Seen by: spans that were opened and not closed.

import { Exchange, Metrics, Session } from "../../src/internals.ts";
import type { Resource, TunnelEvents } from "../../src/internals.ts";
import { patch } from "./patch.ts";

class RequestSpan implements Resource {
  readonly kind = "span";
  readonly openedAtMs: number = performance.now();
}

const spans: WeakMap<object, RequestSpan> = new WeakMap();
let events: TunnelEvents | undefined;
let unended = 0;

/** How many spans were never ended. */
export function seeded(): number {
  return unended;
}

patch(Session, "_greeted", function _greeted(original, hello) {
  events = this._runtime.events;
  original(hello);
});

patch(Exchange, "begin", function begin(original) {
  const span = new RequestSpan();
  spans.set(this, span);
  events?.opened(span);
  original();
});

patch(Metrics, "exchangeEnded", function exchangeEnded(original, exchange, outcome) {
  original(exchange, outcome);
  const span = spans.get(exchange);
  if (!span) return;
  if (outcome === "visitor_abort") unended += 1;
  else events?.closed(span, outcome);
});
