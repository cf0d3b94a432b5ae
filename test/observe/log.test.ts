// Lines: one per event, bounded, printable, without secrets, at a level that changes while it runs.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { fakeExchange, fakeSession, fakeTrace } from "./fakes.ts";
import { Log, maxLineBytes } from "../../src/observe/log.ts";
import type { LogFormat } from "../../src/observe/log.ts";
import type { LogLevel } from "../../src/observe/log-level.ts";
import { isLogLevel } from "../../src/observe/log-level.ts";
import { LogEvents, pathOf } from "../../src/observe/log-events.ts";
import { LineBudget } from "../../src/observe/line-budget.ts";
import { LogTail } from "../../src/observe/log-tail.ts";
import { Redactor } from "../../src/observe/redactor.ts";

interface Fixture {
  readonly log: Log;
  readonly lines: string[];
  readonly json: () => Record<string, unknown>[];
}

function fixture(
  options: { readonly format?: LogFormat; readonly level?: LogLevel; readonly tailLines?: number } = {},
): Fixture {
  const lines: string[] = [];
  const log = new Log({ format: "json", redactor: new Redactor(), write: (line) => lines.push(line), ...options });
  return { log, lines, json: () => lines.map(parsed) };
}

function parsed(line: string): Record<string, unknown> {
  const value: unknown = JSON.parse(line);
  assert.ok(typeof value === "object" && value !== null);
  return { ...value };
}

const controls = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

test("a line is one JSON object with a level, a time and a sentence", () => {
  const { log, lines, json } = fixture();
  log.line("warn", "something is odd", { count: 3, where: "here", absent: undefined });
  const [line] = json();
  assert.ok(lines[0]?.endsWith("\n"));
  assert.equal(line?.["level"], "warn");
  assert.match(String(line?.["time"]), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/u);
  assert.equal(line?.["msg"], "something is odd");
  assert.equal(line?.["count"], 3);
  assert.ok(line && !("absent" in line) && !("pid" in line) && !("hostname" in line));
});

test("the pretty form is a sentence with its facts", () => {
  const { log, lines } = fixture({ format: "pretty" });
  log.line("info", "tunnel opened", { name: "demo", note: "two words", trace_id: "ab" });
  assert.match(
    lines[0] ?? "",
    /^\d\d:\d\d:\d\d\.\d{3} INFO {2}tunnel opened name=demo note="two words" trace_id=ab\n$/u,
  );
});

test("no text can forge a line, hide itself or grow one beyond 2 KiB", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 5_000 }),
      fc.dictionary(fc.string({ unit: "binary", maxLength: 200 }), fc.string({ unit: "binary", maxLength: 3_000 }), {
        maxKeys: 30,
      }),
      fc.constantFrom<LogFormat>("json", "pretty"),
      (message, facts, format) => {
        const { log, lines } = fixture({ format });
        log.line("info", message, facts);
        assert.equal(lines.length, 1);
        const line = lines[0] ?? "";
        assert.ok(Buffer.byteLength(line) <= maxLineBytes + 1, String(Buffer.byteLength(line)));
        assert.equal(line.indexOf("\n"), line.length - 1);
        assert.ok(!controls.test(line.slice(0, -1)));
        if (format === "json") assert.equal(parsed(line)["level"], "info");
      },
    ),
    { numRuns: 150 },
  );
});

test("the level changes at once, and lines below it are not made", () => {
  const { log, lines } = fixture();
  assert.equal(log.level, "info");
  log.line("debug", "unseen");
  log.level = "debug";
  assert.ok(log.wants("debug"));
  log.line("debug", "seen");
  log.level = "silent";
  log.line("error", "unseen");
  assert.equal(lines.length, 1);
  assert.ok(isLogLevel("trace") && !isLogLevel("loud") && !isLogLevel(3));
});

test("an exchange is one line with its trace and without its query", () => {
  const { log, json } = fixture({ level: "debug" });
  const events = new LogEvents(log);
  events.exchangeEnded(fakeExchange({ target: "/reset?token=hunter2hunter2", trace: fakeTrace(0xabc) }), "ok");
  const lines = json();
  assert.equal(lines.length, 1);
  const [line] = lines;
  assert.equal(line?.["trace_id"], "abc".padStart(32, "0"));
  assert.equal(line?.["span_id"], "00f067aa0ba902b7");
  assert.equal(line["trace_flags"], "01");
  assert.equal(line?.["path"], "/reset?…");
  assert.ok(!JSON.stringify(line).includes("hunter2"));
  events.exchangeEnded(fakeExchange({ trace: { ...fakeTrace(0xabc), sampled: false } }), "ok");
  events.exchangeEnded(fakeExchange({}), "ok");
  assert.deepEqual(
    json().map((later) => later["trace_flags"]),
    ["01", "00", undefined],
  );
});

test("each event that an operator reads about is one line", () => {
  const { log, json } = fixture({ level: "debug" });
  const events = new LogEvents(log);
  const tunnel = { kind: "tunnel", openedAtMs: 0, name: "demo", url: "http://demo.localhost:8080" } as const;
  events.opened(tunnel);
  events.closed(tunnel, "goodbye");
  events.opened(fakeSession());
  events.sessionConnected("ok", fakeSession("10.0.0.1"));
  events.sessionConnected("bad_token", undefined);
  events.closed(fakeSession("10.0.0.1"), "dead");
  events.violated(fakeSession(), "unknown_frame");
  events.faulted("deadline", new Error("a bug\nwith two lines"));
  events.refused("visitors");
  events.badRequest("bad_host");
  events.heartbeat(fakeSession(), 1);
  events.paused("visitor");
  events.bytes("in", 1);
  const lines = json();
  assert.deepEqual(
    lines.map((line) => line["event"]),
    [
      "tunnel_opened",
      "tunnel_closed",
      "session_connected",
      "session_refused",
      "session_closed",
      "violation",
      "fault",
      "refused",
      "bad_request",
    ],
  );
  assert.match(String(lines[6]?.["error"]), /^a bug\\x0awith two lines$/u);
});

test("a flood is thinned out, and the next line says by how much", (t) => {
  const { log, json } = fixture();
  const events = new LogEvents(log);
  let nowMs = 1_000;
  t.mock.method(performance, "now", () => nowMs);
  for (let number = 0; number < 10_000; number += 1) events.sessionConnected("bad_token", undefined);
  assert.equal(json().length, 50);
  nowMs += 10_001;
  events.sessionConnected("bad_token", undefined);
  assert.equal(json().at(-1)?.["suppressed"], 9_950);
  const budget = new LineBudget(1);
  assert.deepEqual([budget.take("a"), budget.take("a"), budget.take("b")], [0, undefined, 0]);
});

test("the tail keeps the last lines in order, as JSON", () => {
  const { log } = fixture({ format: "pretty", tailLines: 3 });
  for (let number = 0; number < 10; number += 1) log.line("info", `line ${number}`);
  assert.deepEqual(
    log.tail.lines().map((line) => parsed(line)["msg"]),
    ["line 7", "line 8", "line 9"],
  );
  const short = new LogTail(5);
  short.add("only");
  assert.deepEqual(short.lines(), ["only"]);
});

test("a path loses its query and fragment", () => {
  assert.deepEqual(["/a", "/a?b=c", "/?x", "*", "/a#b"].map(pathOf), ["/a", "/a?…", "/?…", "*", "/a?…"]);
});
