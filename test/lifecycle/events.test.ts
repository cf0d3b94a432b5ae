import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { CaissonError, messageOf } from "../../src/lifecycle/errors.ts";
import type { ExchangeView, RefusedRequest, TunnelEvents } from "../../src/lifecycle/events.ts";
import { noEvents } from "../../src/lifecycle/events.ts";
import { fanout } from "../../src/lifecycle/fanout.ts";
import { QuietEvents } from "../../src/lifecycle/quiet-events.ts";
import { listen, listenForAbort } from "../../src/lifecycle/listener.ts";
import type { Resource } from "../../src/lifecycle/resource.ts";
import { createRuntime, createScope } from "../../src/lifecycle/runtime.ts";
import { Ledger } from "../../src/leaks/ledger.ts";

const resource: Resource = { kind: "session", openedAtMs: 0 };
const session = { ...resource, kind: "session", role: "server", rttMs: 0, peer: "" } as const;
const opening = {
  role: "server",
  openedAtMs: 0,
  tunnelName: "",
  visitorAddress: "",
  upstream: undefined,
  session: undefined,
  traceparent: undefined,
  failure: undefined,
} as const;
const exchange: ExchangeView = {
  kind: "exchange",
  openedAtMs: 0,
  role: "server",
  method: "GET",
  target: "/",
  host: "",
  tunnelName: "",
  field: () => undefined,
  fieldList: () => undefined,
  traceparent: undefined,
  saysUnrecorded: false,
  trusted: false,
  protocolVersion: "1.1",
  secure: false,
  upstream: undefined,
  session: undefined,
  streamAtMs: 0,
  visitorAddress: "",
  status: 0,
  firstByteAtMs: 0,
  endedAtMs: 0,
  bytesIn: 0,
  bytesOut: 0,
  trace: undefined,
};

const refusal: RefusedRequest = {
  status: 400,
  error: "bad_request",
  reason: "test",
  visitorAddress: "",
  secure: false,
  trusted: false,
  head: undefined,
};

/** Calls every event once. */
function callAll(events: TunnelEvents): void {
  events.opened(resource);
  events.closed(resource, "test");
  events.bytes("in", 1);
  events.exchangeStarted(exchange);
  events.exchangeEnded(exchange, "ok");
  events.pipeOpening(opening);
  events.requestRefused(refusal);
  events.sessionConnected("ok", session);
  events.heartbeat(session, 1);
  events.paused("visitor");
  events.refused("test");
  events.badRequest("test");
  events.violated(session, "test");
  events.faulted("test", new Error("test"));
}

function recorder(): { events: TunnelEvents; heard: string[] } {
  const heard: string[] = [];
  const record = (name: string) => (): undefined => void heard.push(name);
  const entries = Object.keys(noEvents).map((name) => [name, record(name)] as const);
  return { events: { ...noEvents, ...Object.fromEntries(entries) }, heard };
}

function thrower(): TunnelEvents {
  const entries = Object.keys(noEvents).map((name) => [
    name,
    () => {
      throw new Error(name);
    },
  ]);
  return { ...noEvents, ...Object.fromEntries(entries) };
}

test("fanout tells every subscriber of every event", () => {
  const first = recorder();
  const second = recorder();
  callAll(fanout(first.events, second.events));
  assert.deepEqual(first.heard, Object.keys(noEvents));
  assert.deepEqual(second.heard, first.heard);
});

test("a subscriber that throws is isolated, and the others are told", () => {
  const calm = recorder();
  callAll(fanout(thrower(), calm.events));
  const faults = calm.heard.filter((name) => name === "faulted").length;
  // One for the event itself, one for each of the others that threw.
  assert.equal(faults, Object.keys(noEvents).length);
  for (const name of Object.keys(noEvents)) assert.ok(calm.heard.includes(name), name);
});

test("the first trace that is answered wins", () => {
  const trace = { headerLines: "traceparent: x\r\n", traceId: "1", spanId: "1", sampled: true };
  const other = { headerLines: "", traceId: "2", spanId: "2", sampled: true };
  const events = fanout(
    noEvents,
    { ...noEvents, exchangeStarted: () => trace },
    { ...noEvents, exchangeStarted: () => other },
  );
  assert.equal(events.exchangeStarted(exchange), trace);
});

test("nobody to tell is noEvents itself", () => {
  assert.equal(fanout(), noEvents);
});

test("a listener on a longer-lived emitter is counted and goes with its scope", () => {
  const ledger = new Ledger();
  const scope = createScope(createRuntime(ledger), "test");
  const emitter = new EventEmitter();
  let calls = 0;
  listen(emitter, "event", () => void (calls += 1), { scope, events: ledger });
  emitter.emit("event");
  assert.equal(ledger.live("listener"), 1);
  scope.close("done");
  emitter.emit("event");
  assert.equal(calls, 1);
  assert.equal(emitter.listenerCount("event"), 0);
  assert.deepEqual(ledger.outstanding, {});
});

test("an abort is heard once, also when it came first, and never after the scope", () => {
  const ledger = new Ledger();
  const scope = createScope(createRuntime(ledger), "test");
  let calls = 0;
  const onAbort = (): void => void (calls += 1);
  listenForAbort(AbortSignal.abort(), onAbort, { scope, events: ledger });
  assert.equal(calls, 1);
  const controller = new AbortController();
  listenForAbort(controller.signal, onAbort, { scope, events: ledger });
  assert.equal(ledger.live("listener"), 1);
  scope.close("done");
  controller.abort();
  assert.equal(calls, 1);
  assert.deepEqual(ledger.outstanding, {});
});

test("errors keep their code and cause", () => {
  const cause = new Error("down");
  const error = CaissonError.from(cause, "E_CONNECT");
  assert.equal(error.code, "E_CONNECT");
  assert.equal(error.cause, cause);
  assert.equal(CaissonError.from(error), error);
  assert.equal(CaissonError.from("text").message, "text");
  assert.equal(messageOf(new AggregateError([new Error("a"), new Error("b")])), "a; b");
});

test("a subscriber that overrides one event hears that one, and everything reaches those that override all", () => {
  let closes = 0;
  class Closes extends QuietEvents {
    override closed(): void {
      closes += 1;
    }
  }
  const all = recorder();
  callAll(fanout(new Closes(), noEvents, new QuietEvents(), all.events));
  assert.equal(closes, 1);
  assert.deepEqual(all.heard, Object.keys(noEvents));
});

/** Remembers of what kind that was which came and went. */
class Comings extends QuietEvents {
  readonly kinds: string[] = [];

  override opened({ kind }: Resource): void {
    this.kinds.push(`${kind} opened`);
  }

  override closed({ kind }: Resource): void {
    this.kinds.push(`${kind} closed`);
  }
}

class StandingComings extends Comings {
  readonly hearsStandingOnly = true;
}

test("a subscriber that hears of standing resources only is spared all others, and misses none of those", () => {
  const [all, standing] = [new Comings(), new StandingComings()];
  const events = fanout(all, standing);
  for (const kind of ["session", "stream", "tunnel", "exchange"] as const) {
    events.opened({ kind, openedAtMs: 0 });
    events.closed({ kind, openedAtMs: 0 }, "test");
  }
  assert.deepEqual(standing.kinds, ["session opened", "session closed", "tunnel opened", "tunnel closed"]);
  assert.equal(all.kinds.length, 8);
});
