// Responses in every shape, cut anywhere: what is told is the same, and the end comes with the last bytes.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { ResponseExpectations, ResponseSink } from "../../src/client/response-reader.ts";
import { ResponseProgress, ResponseReader } from "../../src/client/response-reader.ts";
import { ResponseHead } from "../../src/http1/head.ts";
import { responseHeadLimits } from "../../src/http1/limits.ts";
import { TransferMemory } from "../../src/lifecycle/transfer-memory.ts";

const plain: ResponseExpectations = { headOnly: false, upgrade: false };

interface Told {
  heads: string[];
  body: string;
  trailers: string;
  ends: number;
}

class Recorder implements ResponseSink {
  readonly told: Told = { heads: [], body: "", trailers: "", ends: 0 };
  calls = 0;

  onResponseHead(head: Buffer, _status: number, end: boolean): void {
    this.calls += 1;
    this.told.heads.push(head.toString("latin1"));
    if (end) this.told.ends += 1;
  }

  onResponseData(view: Buffer, end: boolean): void {
    this.calls += 1;
    assert.ok(view.length > 0 || end, "an empty piece is only good for its end");
    assert.equal(this.told.ends, 0, "nothing follows the end");
    this.told.body += view.toString("latin1");
    if (end) this.told.ends += 1;
  }

  onResponseTrailers(section: Buffer): void {
    this.calls += 1;
    this.told.trailers = section.toString("latin1");
    this.told.ends += 1;
  }
}

interface Outcome extends Told {
  progress: ResponseProgress;
  rest: string;
  keepAlive: boolean;
  rejection: string;
}

function read(chunks: readonly string[], expectations: ResponseExpectations, thenEnds = false): Outcome {
  const reader = new ResponseReader(new ResponseHead(responseHeadLimits), new TransferMemory());
  const sink = new Recorder();
  reader.begin(sink, expectations);
  let progress: ResponseProgress = ResponseProgress.More;
  let rest = "";
  for (const text of chunks) {
    if (progress !== ResponseProgress.More) {
      rest += text;
      continue;
    }
    const chunk = Buffer.from(text, "latin1");
    progress = reader.read(chunk);
    if (progress === ResponseProgress.Complete || progress === ResponseProgress.Switched) {
      rest = chunk.toString("latin1", reader.next);
    }
  }
  if (thenEnds && progress === ResponseProgress.More && reader.finish()) progress = ResponseProgress.Complete;
  return { ...sink.told, progress, rest, keepAlive: reader.keepAlive, rejection: reader.rejection };
}

const ok = "HTTP/1.1 200 OK\r\n";

interface Row {
  readonly name: string;
  readonly text: string;
  readonly expectations?: ResponseExpectations;
  readonly thenEnds?: boolean;
  readonly heads: readonly string[];
  readonly body?: string;
  readonly trailers?: string;
  readonly rest?: string;
  readonly keepAlive?: boolean;
  readonly progress?: ResponseProgress;
}

const rows: readonly Row[] = [
  {
    name: "length",
    text: `${ok}Content-Length: 5\r\n\r\nhello`,
    heads: [`${ok}Content-Length: 5\r\n\r\n`],
    body: "hello",
  },
  { name: "length zero", text: `${ok}Content-Length: 0\r\n\r\n`, heads: [`${ok}Content-Length: 0\r\n\r\n`] },
  {
    name: "length, and bytes behind it",
    text: `${ok}Content-Length: 2\r\n\r\nhiHTTP/1.1 200`,
    heads: [`${ok}Content-Length: 2\r\n\r\n`],
    body: "hi",
    rest: "HTTP/1.1 200",
  },
  {
    name: "chunked",
    text: `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`,
    heads: [`${ok}Transfer-Encoding: chunked\r\n\r\n`],
    body: "hello world",
  },
  {
    name: "chunked, empty",
    text: `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    heads: [`${ok}Transfer-Encoding: chunked\r\n\r\n`],
  },
  {
    name: "chunked with trailers",
    text: `${ok}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nX-B: 2\r\n\r\nrest`,
    heads: [`${ok}Transfer-Encoding: chunked\r\n\r\n`],
    body: "a",
    trailers: "X-Sum: 1\r\nX-B: 2\r\n",
    rest: "rest",
  },
  { name: "until the end", text: `${ok}\r\nabc`, thenEnds: true, heads: [`${ok}\r\n`], body: "abc", keepAlive: false },
  { name: "until the end, empty", text: `${ok}\r\n`, thenEnds: true, heads: [`${ok}\r\n`], keepAlive: false },
  {
    name: "HTTP/1.0",
    text: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
    heads: ["HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n"],
    body: "a",
    keepAlive: false,
  },
  {
    name: "Connection: close",
    text: `${ok}Connection: close\r\nContent-Length: 1\r\n\r\na`,
    heads: [`${ok}Connection: close\r\nContent-Length: 1\r\n\r\n`],
    body: "a",
    keepAlive: false,
  },
  {
    name: "HEAD",
    text: `${ok}Content-Length: 5\r\n\r\n`,
    expectations: { headOnly: true, upgrade: false },
    heads: [`${ok}Content-Length: 5\r\n\r\n`],
  },
  {
    name: "HEAD with a coding",
    text: `${ok}Transfer-Encoding: chunked\r\n\r\n`,
    expectations: { headOnly: true, upgrade: false },
    heads: [`${ok}Transfer-Encoding: chunked\r\n\r\n`],
  },
  { name: "204", text: "HTTP/1.1 204 No Content\r\n\r\n", heads: ["HTTP/1.1 204 No Content\r\n\r\n"] },
  {
    name: "304 with a length",
    text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    heads: ["HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"],
  },
  {
    name: "informational heads first",
    text: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok}Content-Length: 1\r\n\r\na`,
    heads: [
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
      `${ok}Content-Length: 1\r\n\r\n`,
    ],
    body: "a",
  },
  {
    name: "101 for an upgrade",
    text: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nframes",
    expectations: { headOnly: false, upgrade: true },
    heads: ["HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"],
    rest: "frames",
    progress: ResponseProgress.Switched,
    keepAlive: false,
  },
];

function check(row: Row, outcome: Outcome): void {
  const progress = row.progress ?? ResponseProgress.Complete;
  assert.equal(outcome.progress, progress);
  assert.deepEqual(outcome.heads, row.heads);
  assert.equal(outcome.body, row.body ?? "");
  assert.equal(outcome.trailers, row.trailers ?? "");
  assert.equal(outcome.rest, row.rest ?? "");
  assert.equal(outcome.ends, progress === ResponseProgress.Switched ? 0 : 1);
  assert.equal(outcome.keepAlive, row.keepAlive ?? true);
}

for (const row of rows) {
  void test(`whole, byte by byte and cut anywhere: ${row.name}`, () => {
    check(row, read([row.text], row.expectations ?? plain, row.thenEnds));
    check(row, read(row.text.split(""), row.expectations ?? plain, row.thenEnds));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: row.text.length }), { maxLength: 6 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), row.text.length];
        const pieces = at.slice(1).map((end, n) => row.text.slice(at[n], end));
        check(
          row,
          read(
            pieces.filter((piece) => piece !== ""),
            row.expectations ?? plain,
            row.thenEnds,
          ),
        );
      }),
      { numRuns: 40 },
    );
  });
}

void test("the end comes with the last bytes when they arrive together", () => {
  for (const [text, calls] of [
    [`${ok}Content-Length: 2\r\n\r\nhi`, 2],
    [`${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`, 2],
    [`${ok}Content-Length: 0\r\n\r\n`, 1],
  ] as const) {
    const reader = new ResponseReader(new ResponseHead(responseHeadLimits), new TransferMemory());
    const sink = new Recorder();
    reader.begin(sink, plain);
    assert.equal(reader.read(Buffer.from(text)), ResponseProgress.Complete);
    assert.equal(sink.calls, calls, text);
  }
});

void test("what is no response, or none that was asked for", () => {
  const informational = "HTTP/1.1 103 Early Hints\r\n\r\n";
  const bad: readonly [string, string][] = [
    ["not HTTP at all\r\n\r\n", "bad_status_line"],
    ["HTTP/2 200\r\n\r\n", "bad_status_line"],
    ["HTTP/1.1 200 OK\nA: b\n\n", "bare_lf"],
    [`${ok}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`, "two_content_lengths"],
    [`${ok}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, "length_and_chunked"],
    [`${ok}A: b\r\n c\r\n\r\n`, "obs_fold"],
    [`${ok}${"A: b\r\n".repeat(201)}\r\n`, "too_many_fields"],
    [`${ok}A: ${"b".repeat(40_000)}\r\n\r\n`, "head_too_large"],
    ["HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "unasked_upgrade"],
    [informational.repeat(17), "too_many_informational"],
    [`${ok}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, "bad_chunk"],
  ];
  for (const [text, rejection] of bad) {
    const outcome = read([text], plain);
    assert.equal(outcome.progress, ResponseProgress.Rejected, text.slice(0, 60));
    assert.equal(outcome.rejection, rejection);
    assert.equal(outcome.ends, 0);
  }
  assert.equal(read([informational.repeat(16) + ok + "\r\n"], plain).progress, ResponseProgress.More);
});

void test("an end in the middle completes nothing", () => {
  for (const text of [
    `${ok}Content-Length: 5\r\n\r\nhell`,
    `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
    "HTTP/1.1 200",
    "",
  ]) {
    const outcome = read(
      [text].filter((piece) => piece !== ""),
      plain,
      true,
    );
    assert.equal(outcome.progress, ResponseProgress.More, text);
    assert.equal(outcome.ends, 0);
  }
});

void test("one reader reads one response after the other", () => {
  const reader = new ResponseReader(new ResponseHead(responseHeadLimits), new TransferMemory());
  for (const row of rows) {
    const sink = new Recorder();
    reader.begin(sink, row.expectations ?? plain);
    assert.equal(reader.begun, false);
    reader.read(Buffer.from(row.text, "latin1"));
    if (row.thenEnds) reader.finish();
    assert.deepEqual(sink.told.heads, row.heads, row.name);
    assert.equal(sink.told.body, row.body ?? "");
    assert.ok(reader.begun && reader.headComplete);
  }
});
