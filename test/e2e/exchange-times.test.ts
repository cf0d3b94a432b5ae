// The times of an exchange, as observers read them: in order on both sides, however the exchange ends, and right where
// its end comes long after its head.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, RequestListener } from "node:http";
import { request } from "node:http";
import { test } from "node:test";
import type { ExchangeOutcome, ExchangeView } from "../../src/lifecycle/events.ts";
import { QuietEvents } from "../../src/lifecycle/quiet-events.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

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

/** Answers with half of a response; what ends it, by path, is called by the test. */
class HalfTarget {
  readonly ends: Map<string, () => void> = new Map();

  readonly listener: RequestListener = (asked, response) => {
    const path = asked.url ?? "";
    if (path === "/until-close") {
      response.socket?.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf");
      this.ends.set(path, () => void response.socket?.end());
    } else if (path === "/cut" || path === "/slow") {
      response.writeHead(200, { "content-length": "8" });
      response.write("half");
      this.ends.set(path, () => void (path === "/cut" ? response.destroy() : response.end("half")));
    } else response.end("at once");
  };
}

/** Visits `path`; when its first bytes have come, lets the target end the response. Answers when that was. */
async function visitInHalves(rig: Rig, target: HalfTarget, path: string): Promise<number> {
  const visit = request({ port: rig.port, host: "127.0.0.1", path, headers: { host: "demo.localhost" }, agent: false });
  visit.end();
  const [response] = (await once(visit, "response")) as [IncomingMessage];
  await once(response, "data");
  const nowMs = performance.now();
  target.ends.get(path)?.();
  // A cut is an error of both, and the end of the visit as well; once() would throw it.
  visit.on("error", () => {});
  response.resume().on("error", () => {});
  await new Promise<void>((resolve) => void response.once("close", () => resolve()));
  return nowMs;
}

test("openings, first bytes and ends are in order on both sides, and an end is not taken for its head", async () => {
  const [times, target] = [new Times(), new HalfTarget()];
  await using rig = await Rig.start({
    target: target.listener,
    serverSubscribers: [times],
    connect: { subscribers: [times] },
  });
  assert.equal((await rig.fetch("/")).status, 200);
  const halves = new Map<string, number>();
  for (const path of ["/slow", "/until-close", "/cut"]) halves.set(path, await visitInHalves(rig, target, path));
  await until(() => times.ended.length === 8, { what: "every exchange has ended on both sides" });
  for (const exchange of times.ended) {
    const { openedAtMs, streamAtMs, firstByteAtMs, endedAtMs, heardAtMs } = exchange;
    const told = [openedAtMs, streamAtMs, firstByteAtMs, endedAtMs, heardAtMs].filter((atMs) => atMs !== 0);
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
      JSON.stringify(exchange),
    );
    assert.ok(firstByteAtMs > 0);
    const halfAtMs = halves.get(exchange.target);
    if (halfAtMs !== undefined) assert.ok(firstByteAtMs <= halfAtMs && endedAtMs >= halfAtMs, JSON.stringify(exchange));
  }
});
