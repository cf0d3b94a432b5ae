// The times of an exchange, as observers read them: in order on both sides, however the exchange ends, and right where
// its end comes long after its head.

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { test } from "node:test";
import type { ExchangeOutcome, ExchangeView } from "../../src/lifecycle/events.ts";
import { QuietEvents } from "../../src/lifecycle/quiet-events.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

const bodyAfterMs = 60;

interface Ended {
  readonly role: string;
  readonly target: string;
  readonly outcome: ExchangeOutcome;
  readonly openedAtMs: number;
  readonly streamAtMs: number;
  readonly firstByteAtMs: number;
  readonly endedAtMs: number;
  readonly heardAtMs: number;
}

/** Notes what exchanges tell when they end. */
class Times extends QuietEvents {
  readonly ended: Ended[] = [];

  override exchangeEnded(exchange: ExchangeView, outcome: ExchangeOutcome): void {
    const { role, target, openedAtMs, streamAtMs, firstByteAtMs, endedAtMs } = exchange;
    const heardAtMs = performance.now();
    this.ended.push({ role, target, outcome, openedAtMs, streamAtMs, firstByteAtMs, endedAtMs, heardAtMs });
  }
}

const target: RequestListener = (request, response) => {
  if (request.url === "/cut") {
    response.writeHead(200, { "content-length": "10" });
    response.write("half");
    setTimeout(() => response.destroy(), bodyAfterMs);
  } else if (request.url === "/slow") {
    response.writeHead(200);
    response.write("first");
    setTimeout(() => response.end("last"), bodyAfterMs);
  } else if (request.url === "/until-close") {
    response.socket?.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirst");
    setTimeout(() => response.socket?.end(), bodyAfterMs);
  } else response.end("at once");
};

test("openings, first bytes and ends are in order on both sides, and an end is not taken for its head", async () => {
  const times = new Times();
  await using rig = await Rig.start({ target, serverSubscribers: [times], connect: { subscribers: [times] } });
  for (const path of ["/", "/slow", "/until-close"]) assert.equal((await rig.fetch(path)).status, 200);
  await assert.rejects(rig.fetch("/cut"));
  await until(() => times.ended.length === 8, { what: "every exchange has ended on both sides" });
  for (const exchange of times.ended) {
    const { openedAtMs, streamAtMs, firstByteAtMs, endedAtMs, heardAtMs } = exchange;
    const told = [openedAtMs, streamAtMs, firstByteAtMs, endedAtMs, heardAtMs].filter((atMs) => atMs !== 0);
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
      JSON.stringify(exchange),
    );
    assert.ok(endedAtMs > 0);
    const late = ["/slow", "/until-close", "/cut"].includes(exchange.target);
    // A timer may be early by less than a millisecond.
    if (late) assert.ok(endedAtMs - firstByteAtMs > bodyAfterMs / 2, JSON.stringify(exchange));
  }
});
