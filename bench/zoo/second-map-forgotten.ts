// Seeds: streams are kept in two containers, the table by id and a set of those in flight. A stream that ends leaves
// both, one that is cut only the table.
// Real case: hashicorp/go-yamux #29: `inflight` kept what `streams` had let go; its users lost 150 MB.
// Rate: one stream, with its session, per exchange that is cut: visitors that leave, targets that break off.
// Seen by: alive (stream, then session).

import type { Stream } from "../../src/internals.ts";
import { Exchange, Session } from "../../src/internals.ts";
import { patch } from "./patch.ts";

const inFlight: Set<Stream> = new Set();
const streams: WeakMap<object, Stream> = new WeakMap();

/** How many streams are believed to be in flight. */
export function seeded(): number {
  return inFlight.size;
}

patch(Session, "open", function open(original, request, handler) {
  const stream = original(request, handler);
  inFlight.add(stream);
  streams.set(handler, stream);
  return stream;
});

patch(Exchange, "onData", function onData(original, chunk, end) {
  original(chunk, end);
  if (end) landed(this);
});

patch(Exchange, "onHead", function onHead(original, head, end) {
  original(head, end);
  if (end) landed(this);
});

function landed(exchange: Exchange): void {
  const stream = streams.get(exchange);
  if (stream) inFlight.delete(stream);
}
