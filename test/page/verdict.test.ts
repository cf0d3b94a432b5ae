// What the live page concludes from the ledgers, and how it cuts the stream that brings them.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { EventSplitter, maxEventLength } from "../../src/page/event-splitter.ts";
import { LedgerWatch, staysFrames } from "../../src/page/verdict.ts";
import { kindWith } from "./frames.ts";

describe("the verdict", () => {
  it("finds nothing where the ledgers agree", () => {
    assert.deepEqual(new LedgerWatch().look({ session: kindWith(), span: kindWith({ held: null }) }), []);
  });

  it("names what is retained and what was lost, at once", () => {
    const found = new LedgerWatch().look({
      session: kindWith({ retained: 1 }),
      visitor_socket: kindWith({ collectedUnclosed: 2 }),
    });
    assert.deepEqual(
      found.map(({ kind, column }) => [kind, column]),
      [
        ["session", "retained"],
        ["visitor_socket", "collectedUnclosed"],
      ],
    );
    assert.match(found[1]?.sentence ?? "", /^2 visitor socket/u);
  });

  it("believes a difference of containers only when it stays", () => {
    const watch = new LedgerWatch();
    const differs = { tunnel: kindWith({ held: 3 }) };
    for (let frame = 1; frame < staysFrames; frame += 1) assert.deepEqual(watch.look(differs), []);
    assert.deepEqual(watch.look({ tunnel: kindWith() }), []);
    for (let frame = 1; frame < staysFrames; frame += 1) assert.deepEqual(watch.look(differs), []);
    assert.equal(watch.look(differs)[0]?.column, "held");
    watch.reset();
    assert.deepEqual(watch.look(differs), []);
  });
});

describe("the event stream", () => {
  it("gives the same events however it is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.json()), fc.array(fc.integer({ min: 1, max: 40 })), (payloads, cuts) => {
        const stream = payloads.map((payload) => `data: ${payload}\n\n`).join("");
        const splitter = new EventSplitter();
        const found: string[] = [];
        let at = 0;
        for (const length of cuts) {
          found.push(...splitter.add(stream.slice(at, at + length)));
          at += length;
        }
        found.push(...splitter.add(stream.slice(at)));
        assert.deepEqual(found, payloads);
      }),
    );
  });

  it("passes over comments, and gives up on an event without an end", () => {
    const splitter = new EventSplitter();
    assert.deepEqual(splitter.add(": still here\n\ndata: 1\n\n"), ["1"]);
    assert.throws(() => splitter.add("x".repeat(maxEventLength + 1)), /without an end/u);
  });
});
