import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceEvents, TunnelEvents } from "../../src/lifecycle/events.ts";
import { noEvents } from "../../src/lifecycle/events.ts";
import { fanout } from "../../src/lifecycle/fanout.ts";
import { QuietEvents } from "../../src/lifecycle/quiet-events.ts";
import type { Resource, ResourceKind } from "../../src/lifecycle/resource.ts";
import { createRuntime } from "../../src/lifecycle/runtime.ts";

const stream: Resource = { kind: "stream", openedAtMs: 0 };
const session: Resource = { kind: "session", openedAtMs: 0 };

/** Writes down what it hears under its name. */
function noting(name: string, heard: string[]): TunnelEvents {
  return {
    ...noEvents,
    opened: ({ kind }) => void heard.push(`${name}: ${kind} opened`),
    closed: ({ kind }, reason) => void heard.push(`${name}: ${kind} closed, ${reason}`),
    faulted: (where, error) => void heard.push(`${name}: ${where}, ${String(error)}`),
  };
}

test("streams reach every subscriber, or whom it named in its stead, in the order of the subscribers", () => {
  const heard: string[] = [];
  const delegate = { ...noting("subscriber", heard), ofKind: (kind: ResourceKind) => noting(`its ${kind}s`, heard) };
  const { streams, events } = createRuntime(
    fanout(noting("first", heard), delegate, new QuietEvents(), noting("last", heard)),
  );
  streams.opened(stream);
  streams.closed(stream, "done");
  assert.deepEqual(heard, [
    "first: stream opened",
    "its streams: stream opened",
    "last: stream opened",
    "first: stream closed, done",
    "its streams: stream closed, done",
    "last: stream closed, done",
  ]);
  heard.length = 0;
  events.opened(session);
  assert.deepEqual(heard, ["first: session opened", "subscriber: session opened", "last: session opened"]);
});

test("who cares for standing resources only, or for closings only, is spared the rest of a kind", () => {
  const heard: string[] = [];
  const standing = { ...noting("standing", heard), hearsStandingOnly: true };
  const closings = { ...noting("closings", heard), opened: noEvents.opened };
  const { exchanges } = createRuntime(fanout(standing, closings));
  exchanges.opened({ kind: "exchange", openedAtMs: 0 });
  exchanges.closed({ kind: "exchange", openedAtMs: 0 }, "ok");
  assert.deepEqual(heard, ["closings: exchange closed, ok"]);
});

test("one that throws is isolated: the others hear the event, and of the fault", () => {
  const heard: string[] = [];
  const fail = (): never => {
    throw new Error("broken");
  };
  const broken: ResourceEvents = { opened: fail, closed: fail };
  const thrower = { ...noting("thrower", heard), ofKind: () => broken };
  const { streams } = createRuntime(fanout(thrower, noting("calm", heard)));
  streams.opened(stream);
  streams.closed(stream, "done");
  assert.deepEqual(heard, [
    "calm: subscriber.opened, Error: broken",
    "calm: stream opened",
    "calm: subscriber.closed, Error: broken",
    "calm: stream closed, done",
  ]);
});

test("events that name nobody hear of every kind themselves", () => {
  assert.equal(createRuntime(noEvents).streams, noEvents);
  assert.equal(createRuntime(noEvents).exchanges, noEvents);
});
