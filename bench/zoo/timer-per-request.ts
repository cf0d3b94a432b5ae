// Seeds: each request starts a timer of 300 s that would answer it with a timeout, and that nobody stops when the answer
// comes. The timer's closure holds the request and all behind it.
// Real case: tunnelmole, which sets such a timer for every request that it forwards.
// Rate: one timer and one exchange per request. Seen by: handles (Timeout), then alive (exchange, visitor_socket).

import { Exchange } from "../../src/internals.ts";
import { patch } from "./patch.ts";

const timeoutMs = 300_000;
let started = 0;

/** How many timers were started. */
export function seeded(): number {
  return started;
}

patch(Exchange, "begin", function begin(original) {
  started += 1;
  setTimeout(() => this.fail("target_timeout"), timeoutMs);
  original();
});
