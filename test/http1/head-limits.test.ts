// Limits strike at the earliest byte, with the right answer, and what a reader keeps between pieces is bounded.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadProgress, RequestHeadReader, ResponseHeadReader } from "../../src/http1/head-reader.ts";
import { rejections, requestHeadLimits, responseHeadLimits } from "../../src/http1/limits.ts";

/** How many bytes, sent one by one, it takes until the head is refused or complete; and the reason, or `complete`. */
function lengthUntilVerdict(
  reader: RequestHeadReader | ResponseHeadReader,
  text: string,
): [length: number, verdict: string] {
  const bytes = Buffer.from(text, "latin1");
  for (let index = 0; index < bytes.length; index++) {
    const progress = reader.read(bytes.subarray(index, index + 1), 0);
    if (progress === HeadProgress.Complete) return [index + 1, "complete"];
    if (progress === HeadProgress.Rejected) return [index + 1, reader.rejection.reason];
  }
  return [bytes.length, "more"];
}

function verdictOfWhole(text: string): string {
  const reader = new RequestHeadReader(requestHeadLimits);
  const progress = reader.read(Buffer.from(text, "latin1"), 0);
  return progress === HeadProgress.Rejected ? reader.rejection.reason : String(progress);
}

function request(): RequestHeadReader {
  return new RequestHeadReader(requestHeadLimits);
}

test("the request line may have 8 KiB with its end, and is refused at the byte after", () => {
  const longest = `GET /${"x".repeat(8192 - 16)} HTTP/1.1\r\n`;
  assert.equal(longest.length, 8192);
  assert.deepEqual(lengthUntilVerdict(request(), `${longest}Host: a\r\n\r\n`), [8192 + 11, "complete"]);
  const longer = `GET /${"x".repeat(8192)} HTTP/1.1\r\nHost: a\r\n\r\n`;
  assert.deepEqual(lengthUntilVerdict(request(), longer), [8192, "line_too_long"]);
  assert.equal(verdictOfWhole(longer), "line_too_long");
  assert.equal(rejections.line_too_long.status, 414);
  assert.deepEqual(lengthUntilVerdict(request(), "x".repeat(10_000)), [8192, "line_too_long"]);
});

test("the head may have 16 KiB with its end, and is refused at the byte after", () => {
  const start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  const fits = `${start}${"x".repeat(16_384 - start.length - 4)}\r\n\r\n`;
  assert.deepEqual(lengthUntilVerdict(request(), fits), [16_384, "complete"]);
  for (const text of [`${start}${"x".repeat(20_000)}`, `${start}${"x".repeat(16_384 - start.length - 3)}\r\n\r\n`]) {
    assert.deepEqual(lengthUntilVerdict(request(), text), [16_384, "head_too_large"]);
    assert.equal(verdictOfWhole(text), "head_too_large");
  }
  assert.equal(rejections.head_too_large.status, 431);
});

test("what is wrong within the limits counts, what is wrong beyond them does not", () => {
  const start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  const within = `${start}${"x".repeat(16_000)}\x01${"x".repeat(1000)}`;
  const beyond = `${start}${"x".repeat(17_000)}\x01`;
  assert.equal(verdictOfWhole(within), "bad_value");
  assert.equal(lengthUntilVerdict(request(), within)[1], "bad_value");
  assert.equal(verdictOfWhole(beyond), "head_too_large");
  assert.equal(lengthUntilVerdict(request(), beyond)[1], "head_too_large");
});

test("100 fields are accepted, and the name of the next is refused", () => {
  const head = `GET / HTTP/1.1\r\nHost: a\r\n${"X: 1\r\n".repeat(99)}`;
  assert.deepEqual(lengthUntilVerdict(request(), `${head}\r\n`), [head.length + 2, "complete"]);
  assert.deepEqual(lengthUntilVerdict(request(), `${head}Y: 1\r\n`), [head.length + 6, "too_many_fields"]);
  assert.equal(verdictOfWhole(`${head}Y: 1\r\n\r\n`), "too_many_fields");
});

test("a response head may have 32 KiB and 200 fields", () => {
  const status = "HTTP/1.1 200 OK\r\n";
  function response(): ResponseHeadReader {
    return new ResponseHeadReader(responseHeadLimits);
  }
  const head = `${status}${"X: 1\r\n".repeat(200)}`;
  assert.deepEqual(lengthUntilVerdict(response(), `${head}\r\n`), [head.length + 2, "complete"]);
  assert.equal(lengthUntilVerdict(response(), `${head}X: 1\r\n`)[1], "too_many_fields");
  assert.deepEqual(lengthUntilVerdict(response(), `${status}X: ${"x".repeat(40_000)}`), [32_768, "head_too_large"]);
  assert.deepEqual(lengthUntilVerdict(response(), `HTTP/1.1 200 ${"x".repeat(40_000)}`), [32_768, "line_too_long"]);
});

test("a bad line is refused as soon as it is complete, not at the end of the head", () => {
  const reader = request();
  assert.equal(reader.read(Buffer.from("GET / HTTP/1.1\r\nHo"), 0), HeadProgress.More);
  assert.equal(reader.read(Buffer.from("st: a b\r\n"), 0), HeadProgress.Rejected);
  assert.equal(reader.rejection.reason, "bad_host");
});

test("started says whether a head is under way, and reset forgets it", () => {
  const reader = request();
  assert.equal(reader.started, false);
  reader.read(Buffer.from("\r\n"), 0);
  assert.equal(reader.started, false);
  reader.read(Buffer.from("G"), 0);
  assert.equal(reader.started, true);
  reader.reset();
  assert.equal(reader.started, false);
  const chunk = Buffer.from("xxGET / HTTP/1.1\r\nHost: a\r\n\r\nrest");
  assert.equal(reader.read(chunk, 2), HeadProgress.Complete);
  assert.equal(reader.started, false);
  assert.equal(chunk.toString("latin1", reader.next), "rest");
  assert.equal(reader.head.bytes, chunk, "read in place");
});

test("readers may share one head, also while their own heads come in pieces", () => {
  const first = request();
  const second = new RequestHeadReader(requestHeadLimits, first.head);
  assert.equal(first.read(Buffer.from("GET /first HTTP/1.1\r\nHost: first\r\nX-Fir"), 0), HeadProgress.More);
  assert.equal(second.read(Buffer.from("GET /second HTTP/1.1\r\nHost: second\r\n\r"), 0), HeadProgress.More);
  assert.equal(first.read(Buffer.from("st: 1\r\n\r\n"), 0), HeadProgress.Complete);
  assert.deepEqual([first.head.target, first.head.host, first.head.field("x-first")], ["/first", "first", "1"]);
  assert.equal(second.read(Buffer.from("\n"), 0), HeadProgress.Complete);
  assert.deepEqual([second.head.target, second.head.host, second.head.fieldCount], ["/second", "second", 1]);
});
