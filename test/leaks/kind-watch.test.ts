import assert from "node:assert/strict";
import { test } from "node:test";
import type { Watch } from "../../src/leaks/kind-watch.ts";
import { KindWatch } from "../../src/leaks/kind-watch.ts";
import type { Resource } from "../../src/lifecycle/resource.ts";
import { SampleResource } from "./sample.ts";

/** Remembers what it was asked to watch. */
class FakeWatch implements Watch {
  readonly watched: Set<Resource> = new Set();
  asked = 0;
  disposed = false;

  _watch(resource: Resource): boolean {
    if (!this.disposed) this.watched.add(resource);
    return !this.disposed;
  }

  _expectCollection(resource: Resource): boolean {
    this.asked += 1;
    return this.watched.delete(resource);
  }
}

test("the watch is asked only about closes that may be of the sample", () => {
  const watch = new FakeWatch();
  const sampled = new KindWatch(watch, 50);
  const open = Array.from({ length: 20_000 }, () => new SampleResource("stream"));
  for (const resource of open) {
    sampled.opened(resource);
    sampled.closed(resource);
  }
  const { watched, pending } = sampled.reading();
  assert.ok(watched > 250 && watched < 600, `${watched} of 20,000`);
  // One at a time is open, so each that is asked about is one of them.
  assert.equal(watch.asked, watched);
  assert.equal(pending, watched);
});

test("while one of the sample is open, closes of others count for nothing", () => {
  const watch = new FakeWatch();
  const all = new KindWatch(watch, 1);
  const [kept, stranger] = [new SampleResource("pipe"), new SampleResource("pipe")];
  all.opened(kept);
  all.closed(stranger);
  assert.deepEqual([all.reading().watched, all.reading().uncollected], [1, 0]);
  all.closed(kept);
  all.closed(kept);
  assert.equal(all.reading().pending, 1);
});

test("what a disposed watch does not take is not counted as watched", () => {
  const watch = new FakeWatch();
  watch.disposed = true;
  const all = new KindWatch(watch, 1);
  const resource = new SampleResource("tunnel");
  all.opened(resource);
  all.closed(resource);
  assert.deepEqual([all.reading().watched, watch.asked], [0, 0]);
});

test("what was collected while open is never expected again", () => {
  const watch = new FakeWatch();
  const all = new KindWatch(watch, 1);
  all.opened(new SampleResource("span"));
  all.openCollected += 1;
  all.closed(new SampleResource("span"));
  assert.equal(watch.asked, 0);
  assert.equal(all.reading().collectedUnclosed, 1);
});
