// What is read ahead: bytes are kept in order and never written over, and the socket stops and goes on at the limit.

import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { ReadAhead } from "../../src/server/read-ahead.ts";

/** A socket that goes nowhere, and counts how often it was stopped and let go. */
class FakeSocket extends Socket {
  pauses = 0;
  resumes = 0;

  override pause(): this {
    this.pauses += 1;
    return this;
  }

  override resume(): this {
    this.resumes += 1;
    return this;
  }
}

void test("bytes come out as they went in, and views of them stay true", () => {
  const steps = fc.array(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), fc.nat({ max: 4_000 })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, (sequence) => {
      const ahead = new ReadAhead(new FakeSocket(), Infinity);
      let kept = Buffer.alloc(0);
      const views: { readonly view: Buffer; readonly expected: Buffer }[] = [];
      for (const step of sequence) {
        if (typeof step === "number") {
          const taken = Math.min(step, ahead.bytes);
          views.push({ view: ahead.view.subarray(0, taken), expected: Buffer.from(kept.subarray(0, taken)) });
          ahead.advance(taken);
          kept = kept.subarray(taken);
        } else {
          ahead.keep(Buffer.from(step));
          kept = Buffer.concat([kept, step]);
        }
        assert.equal(ahead.bytes, kept.length);
        assert.ok(ahead.view.equals(kept));
      }
      // What was given out may still wait in a stream: nothing may have been written over it.
      for (const { view, expected } of views) assert.ok(view.equals(expected));
      assert.ok(ahead.take().equals(kept));
      assert.equal(ahead.bytes, 0);
    }),
  );
});

void test("what it keeps is a copy", () => {
  const ahead = new ReadAhead(new FakeSocket(), 100);
  const chunk = Buffer.from("first");
  ahead.keep(chunk);
  chunk.fill("x");
  assert.equal(ahead.take().toString(), "first");
});

void test("the socket stops at the limit, goes on below it, and is asked once", () => {
  const socket = new FakeSocket();
  const ahead = new ReadAhead(socket, 10);
  ahead.keep(Buffer.alloc(9));
  assert.equal(socket.pauses, 0);
  ahead.keep(Buffer.alloc(1));
  ahead.keep(Buffer.alloc(5));
  assert.equal(socket.pauses, 1);
  ahead.flow();
  assert.equal(socket.resumes, 0, "there is no room yet");
  ahead.advance(6);
  ahead.flow();
  ahead.flow();
  assert.equal(socket.resumes, 1);
  ahead.pause();
  ahead.drop();
  ahead.flow();
  assert.deepEqual([socket.pauses, socket.resumes], [2, 2]);
});
