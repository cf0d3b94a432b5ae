import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { resourceKinds } from "../../src/lifecycle/resource.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import { SampleResource } from "./sample.ts";

test("opened = closed + live for each kind, and the reasons add up, whatever happens", () => {
  const steps = fc.array(
    fc.record({ kind: fc.constantFrom(...resourceKinds), reason: fc.constantFrom("done", "cut") }),
  );
  fc.assert(
    fc.property(steps, fc.nat(), (events, seed) => {
      const ledger = new Ledger();
      const open: SampleResource[] = [];
      for (const [index, { kind, reason }] of events.entries()) {
        if ((seed + index) % 3 === 0 && open.length > 0) {
          const [closed] = open.splice((seed + index) % open.length, 1);
          if (closed) ledger.closed(closed, reason);
        } else {
          const resource = new SampleResource(kind);
          open.push(resource);
          ledger.opened(resource);
        }
      }
      for (const kind of resourceKinds) {
        const { opened, closed, reasons } = ledger.accounts[kind];
        const live = open.filter((resource) => resource.kind === kind).length;
        assert.equal(ledger.live(kind), live);
        assert.equal(opened, closed + live);
        assert.equal(
          [...reasons.values()].reduce((sum, count) => sum + count, 0),
          closed,
        );
        assert.equal(ledger.outstanding[kind] ?? 0, live);
      }
    }),
  );
});

test("the oldest age of a kind is that of its oldest open resource", () => {
  const ledger = new Ledger();
  const first = new SampleResource("stream", 1000);
  const second = new SampleResource("stream", 3000);
  ledger.opened(first);
  ledger.opened(second);
  ledger.opened(new SampleResource("session", 0));
  assert.equal(ledger.oldestAgeMs("stream", 5000), 4000);
  ledger.closed(first, "done");
  assert.equal(ledger.oldestAgeMs("stream", 5000), 2000);
  ledger.closed(second, "done");
  assert.equal(ledger.oldestAgeMs("stream", 5000), 0);
  assert.equal(ledger.oldestAgeMs("session", 5000), 5000);
});
