// What heads look like on their way on: byte for byte what should stay, and nothing of what should go.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RequestEdits } from "../../src/http1/compose.ts";
import { composeRequest, composeResponse, filterTrailers } from "../../src/http1/compose.ts";
import { fieldIds } from "../../src/http1/fields.ts";
import { HeadProgress, RequestHeadReader, ResponseHeadReader } from "../../src/http1/head-reader.ts";
import { requestHeadLimits, responseHeadLimits } from "../../src/http1/limits.ts";

const dropNothing = new Uint8Array(256);
const dropOurs = new Uint8Array(256);
for (const id of [fieldIds["x-forwarded-for"], fieldIds["x-forwarded"], fieldIds.caisson]) dropOurs[id] = 1;

/** Heads stand in the middle of a chunk, so that every offset is put to the test. */
function composedRequest(text: string, edits: Partial<RequestEdits> = {}): string {
  const reader = new RequestHeadReader(requestHeadLimits);
  assert.equal(reader.read(Buffer.from(`before${text}after`, "latin1"), 6), HeadProgress.Complete);
  const composed = composeRequest(reader.head, { drop: dropNothing, suffix: "", upgrade: false, ...edits });
  const lines = composed.bytes.toString("latin1");
  const host = lines.slice(composed.hostAt, composed.hostAt + composed.hostLength);
  assert.equal(host, /\r\nhost:[ \t]*([^\r]*?)[ \t]*\r\n/i.exec(lines)?.[1], "hostAt and hostLength");
  assert.deepEqual(
    composeRequest(reader.head, {
      drop: dropNothing,
      upgrade: false,
      ...edits,
      suffix: Buffer.from(edits.suffix ?? ""),
    }),
    composed,
    "a suffix of bytes",
  );
  return lines;
}

function composedResponse(text: string, edits: Partial<RequestEdits> = {}): string {
  const reader = new ResponseHeadReader(responseHeadLimits);
  assert.equal(reader.read(Buffer.from(`before${text}after`, "latin1"), 6), HeadProgress.Complete);
  return composeResponse(reader.head, { drop: dropNothing, suffix: "", upgrade: false, ...edits }).toString("latin1");
}

const requests: Record<string, readonly [text: string, composed: string, edits?: Partial<RequestEdits>]> = {
  "nothing to do": [
    "GET /a?b HTTP/1.1\r\nhost:  A.b \r\nX: \x80 \r\nx:\r\n\r\n",
    "GET /a?b HTTP/1.1\r\nhost:  A.b \r\nX: \x80 \r\nx:\r\n\r\n",
  ],
  "hop-by-hop fields, wherever they stand": [
    "GET / HTTP/1.1\r\nConnection: keep-alive\r\nA: 1\r\nKeep-Alive: 1\r\nHost: a\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nTE: gzip\r\nB: 2\r\n\r\n",
    "GET / HTTP/1.1\r\nA: 1\r\nHost: a\r\nB: 2\r\n\r\n",
  ],
  "nominated fields, but never Host": [
    "GET / HTTP/1.1\r\nHost: a\r\nx-a: 1\r\nConnection: X-A, host\r\nB: 2\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nB: 2\r\n\r\n",
  ],
  "fields that are dropped, and what is set after": [
    "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1\r\nX-Forwarded-Foo: 1\r\nCaisson-Id: 1\r\nB: 2\r\nx-forwarded-for: 2\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nB: 2\r\nX-Forwarded-For: 3\r\nVia: 1.1 x\r\n\r\n",
    { drop: dropOurs, suffix: "X-Forwarded-For: 3\r\nVia: 1.1 x\r\n" },
  ],
  "fields that would shadow ours": [
    "GET / HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: 1\r\nx-forwarded_proto: 1\r\nCaisson_Id: 1\r\nContent_Length: 1\r\nX_Other: 2\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX_Other: 2\r\n\r\n",
  ],
  "absolute form": [
    "GET http://U.x:80/p?q HTTP/1.1\r\nA: 1\r\nHost: a\r\nB: 2\r\n\r\n",
    "GET /p?q HTTP/1.1\r\nHost: U.x:80\r\nA: 1\r\nB: 2\r\n\r\n",
  ],
  "absolute form without a path": ["GET http://x HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
  "absolute form with a query only": [
    "GET http://x?q HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /?q HTTP/1.1\r\nHost: x\r\n\r\n",
  ],
  "OPTIONS of a whole server": [
    "OPTIONS http://x HTTP/1.1\r\nHost: a\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
  ],
  "OPTIONS *": ["OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"],
  "HTTP/1.0": [
    "GET /x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
  ],
  "HTTP/1.0 without Host": [
    "GET /x HTTP/1.0\r\nA: 1\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: b:1\r\nA: 1\r\n\r\n",
    { authority: "b:1" },
  ],
  "HTTP/1.0 without Host, nor one to take": ["GET /x HTTP/1.0\r\n\r\n", "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  "another authority is for requests that name none": [
    "GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
    { authority: "b" },
  ],
  "HTTP/1.5": ["GET /x HTTP/1.5\r\nHost: a\r\n\r\n", "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"],
  "a length, and Expect": [
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 05\r\nExpect: 100-continue\r\nConnection: content-length, expect\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 05\r\nExpect: 100-continue\r\n\r\n",
  ],
  chunked: [
    "POST / HTTP/1.1\r\nTransfer-Encoding: CHUNKED\r\nHost: a\r\nTrailer: X\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\nA: 1\r\n\r\n",
    { suffix: "A: 1\r\n" },
  ],
  "an upgrade": [
    "GET / HTTP/1.1\r\nHost: a\r\nconnection: x, upgrade\r\nX: 1\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: k\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    { upgrade: true },
  ],
  "TE: trailers": [
    "GET / HTTP/1.1\r\nHost: a\r\nTE: Trailers\r\nConnection: te, close\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: trailers\r\n\r\n",
  ],
  "TE that Connection does not name": [
    "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  ],
  "TE with more than trailers": [
    "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTE: gzip\r\nConnection: TE\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  ],
};

describe("requests on their way", () => {
  for (const [name, [text, composed, edits]] of Object.entries(requests)) {
    test(name, () => assert.equal(composedRequest(text, edits), composed));
  }
});

const responses: Record<string, readonly [text: string, composed: string, edits?: Partial<RequestEdits>]> = {
  "nothing to do": [
    "HTTP/1.1 200 Fine \x80\r\nSet-Cookie: a\r\nset-cookie:b\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 200 Fine \x80\r\nSet-Cookie: a\r\nset-cookie:b\r\nContent-Length: 5\r\n\r\n",
  ],
  "hop-by-hop and nominated fields, and what is dropped": [
    "HTTP/1.1 200 OK\r\nConnection: close, x\r\nX: 1\r\nKeep-Alive: 1\r\nCaisson-Error: 1\r\nTransfer-Encoding: chunked\r\nA_B: 2\r\nUpgrade: h2c\r\n\r\n",
    "HTTP/1.1 200 OK\r\nA_B: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
    { drop: dropOurs, suffix: "Transfer-Encoding: chunked\r\n" },
  ],
  "HTTP/1.0": ["HTTP/1.0 404 Not here\r\nA: 1\r\n\r\n", "HTTP/1.1 404 Not here\r\nA: 1\r\n\r\n"],
  "no reason": ["HTTP/1.1 404\r\nA: 1\r\n\r\n", "HTTP/1.1 404 \r\nA: 1\r\n\r\n"],
  "no fields": ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nA: 1\r\n\r\n", { suffix: "A: 1\r\n" }],
  "304 keeps its length": [
    "HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n",
  ],
  "204 and 1xx do not": ["HTTP/1.1 204 No\r\nContent-Length: 0\r\nA: 1\r\n\r\n", "HTTP/1.1 204 No\r\nA: 1\r\n\r\n"],
  "an upgrade": [
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    { upgrade: true },
  ],
};

describe("responses on their way", () => {
  for (const [name, [text, composed, edits]] of Object.entries(responses)) {
    test(name, () => assert.equal(composedResponse(text, edits), composed));
  }
});

describe("trailers", () => {
  test("what has no business in a trailer section is left out", () => {
    const forbidden =
      "Content-Length Transfer-Encoding Host Authorization Proxy-Authorization X-Forwarded-For X-Forwarded-Any X_Forwarded_For " +
      "X-Real-IP Forwarded Via Caisson-Error Connection Keep-Alive Proxy-Connection TE Trailer Upgrade Expect Cookie Set-Cookie " +
      "Content-Type Content-Encoding Content-Range Cache-Control Sec-WebSocket-Accept Location";
    const lines = forbidden.split(" ").map((name) => `${name}: 1\r\n`);
    const section = `${lines.join("Server-Timing: 1\r\n")}X-Checksum: 2\r\n`;
    const kept = filterTrailers(Buffer.from(section));
    assert.equal(kept?.toString(), `${"Server-Timing: 1\r\n".repeat(lines.length - 1)}X-Checksum: 2\r\n`);
    assert.equal(filterTrailers(Buffer.from(lines[0] ?? ""))?.length, 0);
  });

  test("a section of which all stays is answered as it is", () => {
    const section = Buffer.from("A: 1\r\nB: 2\r\n");
    assert.equal(filterTrailers(section), section);
    assert.equal(filterTrailers(Buffer.alloc(0))?.length, 0);
  });

  test("what is no section of complete lines is refused", () => {
    for (const text of [
      "A",
      "A: 1",
      "A: 1\r",
      "A: 1\n",
      "A: 1\r\n\r\n",
      "\r\n",
      "A: 1\r\n\r\nB: 2\r\n",
      "A: 1\r\n B\r\n",
      "A : 1\r\n",
      "A: \0\r\n",
    ]) {
      assert.equal(filterTrailers(Buffer.from(text)), undefined, JSON.stringify(text));
    }
    assert.equal(filterTrailers(Buffer.from("A: 1\r\n".repeat(101))), undefined);
    assert.equal(filterTrailers(Buffer.from(`A: ${"x".repeat(16_384)}\r\n`)), undefined);
  });
});
