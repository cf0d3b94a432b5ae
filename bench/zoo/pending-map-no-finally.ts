// Seeds: a request is entered in a map of pending ones, its answer is awaited, and then the entry is removed; but not in
// a `finally`, so that the entry stays when the wait throws.
// Real case: js-libp2p #1059: pending dials stayed in their map after the dial had failed.
// Rate: one map entry, with its exchange and visitor, per request whose client or target fails.
// Seen by: alive (exchange, visitor_socket).

import { Exchange } from "../../src/internals.ts";
import { patch } from "./patch.ts";

interface Answer {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const pending: Map<number, Exchange> = new Map();
const answers: WeakMap<Exchange, Answer> = new WeakMap();
let lastId = 0;

/** How many requests are believed to be pending. */
export function seeded(): number {
  return pending.size;
}

async function follow(exchange: Exchange): Promise<void> {
  lastId += 1;
  const id = lastId;
  pending.set(id, exchange);
  await new Promise<void>((resolve, reject) => void answers.set(exchange, { resolve, reject }));
  pending.delete(id);
}

patch(Exchange, "begin", function begin(original) {
  follow(this).catch(() => undefined);
  original();
});

patch(Exchange, "onHead", function onHead(original, head, end) {
  answers.get(this)?.resolve();
  original(head, end);
});

patch(Exchange, "onReset", function onReset(original, reason) {
  answers.get(this)?.reject(new Error(reason));
  original(reason);
});

patch(Exchange, "abort", function abort(original, outcome) {
  answers.get(this)?.resolve();
  original(outcome);
});
