// Secrets do not leave: 1,000 planted ones, in texts, values and log lines. What people need does.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Log } from "../../src/observe/log.ts";
import { LogEvents } from "../../src/observe/log-events.ts";
import { Redactor } from "../../src/observe/redactor.ts";
import { redacted } from "../../src/observe/secret-patterns.ts";
import { canaries } from "../support/canaries.ts";
import { fakeExchange, fakeSession } from "./fakes.ts";

test("1,000 planted secrets are in no text and no value", () => {
  const redactor = new Redactor();
  for (const { secret, text, value } of canaries(1_000)) {
    assert.ok(!redactor.text(text).includes(secret), redactor.text(text));
    const inside = redactor.text(JSON.stringify({ body: text, list: [text] }));
    assert.ok(!inside.includes(secret), inside);
    const copy = JSON.stringify(redactor.value({ deep: [{ value }], text }));
    assert.ok(!copy.includes(secret), copy);
    assert.ok(!JSON.stringify(redactor.value(new Error(text))).includes(secret));
  }
});

test("1,000 planted secrets are in no log line, at any level", () => {
  const lines: string[] = [];
  const log = new Log({ level: "trace", format: "json", redactor: new Redactor(), write: (line) => lines.push(line) });
  const events = new LogEvents(log);
  const planted = canaries(1_000);
  for (const { text, value } of planted) {
    log.line("info", text, { fact: text });
    log.line("debug", "a value", { nested: JSON.stringify(value) });
    log.error("it failed", new Error(text));
    events.faulted("deadline", new Error(text));
    events.violated(fakeSession(text), "unknown_frame");
    events.exchangeEnded(fakeExchange({ target: `/x?${text}` }), "ok");
  }
  const all = `${lines.join("")}${log.tail.lines().join("\n")}`;
  for (const { secret } of planted) assert.ok(!all.includes(secret), secret);
  assert.ok(lines.length > 3_000);
});

test("a secret that it was told of is removed wherever it stands", () => {
  const redactor = new Redactor({ secrets: ["plainwords", " spaced \n", "short"] });
  redactor.know("late-one");
  assert.equal(redactor.size, 3);
  assert.equal(redactor.text("a plainwordsb late-one spaced short"), `a ${redacted}b ${redacted} ${redacted} short`);
  assert.deepEqual(redactor.value({ plainwords: 1 }), { [redacted]: 1 });
});

const spared = [
  "tunnel http://demo.localhost:8080 opened",
  "session closed: superseded name=demo peer=127.0.0.1:5123 seconds=3.5",
  "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7",
  "at ClientSession.onClosed (file:///opt/Caisson/dist/src/server/client-session.js:120:15)",
  'caisson_http_requests_total{method="GET",code="200",outcome="ok"} 5001',
  "caisson_backpressure_pauses_total side=visitor 3 outside inside",
  "login refused: bad_token",
  "random name k3j5h2l4n6p7q2r3 given",
];
for (const text of spared) {
  test(`spared: ${text.slice(0, 50)}`, () => {
    assert.equal(new Redactor().text(text), text);
  });
}

test("counts under telling names stay, values that are no data go, and nothing is endless", () => {
  const redactor = new Redactor();
  const cyclic: Record<string, unknown> = { a: 1 };
  cyclic["self"] = cyclic;
  assert.doesNotThrow(() => JSON.stringify(redactor.value(cyclic)));
  const value = {
    tokens: 3,
    cookie: true,
    secret: null,
    big: 3n,
    at: new Date(0),
    raw: Buffer.from("secret"),
    run: test,
  };
  assert.deepEqual(redactor.value(value), {
    tokens: 3,
    cookie: true,
    secret: null,
    big: "3",
    at: "1970-01-01T00:00:00.000Z",
    raw: "[6 bytes]",
    run: undefined,
  });
  assert.deepEqual(redactor.value(new Map([["password", "x"]])), { password: redacted });
});

test("redacting is stable, and never throws", () => {
  const redactor = new Redactor();
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.constantFrom("", "token=", 'cookie: "', "://a:b@", "Bearer "),
      (text, lead) => {
        const once = redactor.text(`${lead}${text}`);
        assert.equal(typeof once, "string");
      },
    ),
    { numRuns: 300 },
  );
});

test("hostile text costs time in proportion to its length", () => {
  const redactor = new Redactor();
  for (const unit of [
    "token",
    "a.",
    "=",
    '"',
    "\\",
    "Aa1",
    "://",
    "cookie:",
    "-----BEGIN ",
    "[",
    "?a",
    "token:{",
    "token=[",
    "eyJaaaaaaaa-",
  ]) {
    const times = [20_000, 80_000].map((length) => {
      const text = unit.repeat(length / unit.length);
      const startedAtMs = performance.now();
      redactor.text(text);
      return performance.now() - startedAtMs;
    });
    // Quadratic behaviour would take minutes; a slow machine does not.
    assert.ok((times[1] ?? 0) < 5_000, `${unit}: ${times.join(", ")} ms`);
  }
});
