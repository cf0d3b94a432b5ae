// What operators do and find, as spans: a heap snapshot that was asked for, a leak that was found, a client that breaks the
// protocol.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Resource } from "../../src/lifecycle/resource.ts";
import { QuietEvents } from "../../src/lifecycle/quiet-events.ts";
import { WireClient } from "../hostile/wire-client.ts";
import { PrivateAdmin } from "../support/admin-reader.ts";
import { frame } from "../support/raw-peer.ts";
import { RecordedSpans } from "../support/recorded-spans.ts";
import { tracedRigs } from "../support/traced-rig.ts";
import { until } from "../support/until.ts";

const recorded = RecordedSpans.register();
const onRig = tracedRigs(recorded);

/** A subscriber with a leak: it keeps every session that has closed. */
class Keeper extends QuietEvents {
  readonly kept: Resource[] = [];

  override closed(resource: Resource): void {
    if (resource.kind === "session") this.kept.push(resource);
  }
}

test("a heap snapshot and a leak are spans, which tell what they were", async () => {
  using admin = new PrivateAdmin();
  const keeper = new Keeper();
  const serve = { listen: "127.0.0.1:0", catchAll: "demo", admin: admin.options, limits: { closeTimeoutMs: 100 } };
  await onRig({ serve, serverSubscribers: [keeper] }, async (rig) => {
    const reader = admin.reader(rig.server);
    await reader.json("/debug/heap/snapshots", { method: "POST", body: { engine: "v8", force: true }, status: 201 });
    const snapshot = await recorded.span("the snapshot", ({ name }) => name === "heap snapshot");
    assert.equal(snapshot.attributes["error.type"], undefined);
    assert.ok(snapshot.duration[0] > 0 || snapshot.duration[1] > 1e6, "it took its time");

    const another = await rig.connectAnother({ name: "another", subscribers: [] });
    await another.close({ force: true });
    await until(() => keeper.kept.length > 0, { what: "its session has closed" });
    await until(
      async () => {
        await reader.collect(1);
        return recorded.ended.some(({ name }) => name === "leak report");
      },
      { what: "the leak is found", timeoutMs: 30_000 },
    );
    const kinds = recorded.ended
      .filter(({ name }) => name === "leak report")
      .map(({ attributes }) => attributes["caisson.resource.kind"]);
    assert.ok(kinds.includes("session"), kinds.join());
    const { "caisson.resource.label": label } = (
      await recorded.span("the leak", ({ attributes }) => attributes["caisson.resource.kind"] === "session")
    ).attributes;
    assert.match(String(label), /^session#\d+$/u);
    keeper.kept.length = 0;
  });
});

test("a client that breaks the protocol is a span below its session's", async () => {
  await onRig({}, async (rig) => {
    using client = await WireClient.connect(rig.port);
    client.send(frame("data", 7, "to a stream that never was"));
    await client.gone();
    const violation = await recorded.span("the violation", ({ name }) => name === "protocol violation");
    assert.equal(violation.attributes["error.type"], "stream_unknown");
    const parent = violation.parentSpanContext?.spanId;
    const session = await recorded.span("its session", (span) => span.spanContext().spanId === parent);
    assert.deepEqual([session.name, session.attributes["caisson.role"]], ["session connect", "server"]);
    await recorded.span(
      "its end",
      ({ name, parentSpanContext }) => name === "session close" && parentSpanContext?.spanId === parent,
    );
  });
});
