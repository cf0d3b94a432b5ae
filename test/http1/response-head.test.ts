// Every rule for response heads, as a table; each row is also fed byte by byte and cut at every place.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadProgress, ResponseHeadReader } from "../../src/http1/head-reader.ts";
import type { RejectionReason } from "../../src/http1/limits.ts";
import { responseHeadLimits } from "../../src/http1/limits.ts";
import type { Outcome } from "./head-outcome.ts";
import { assertFacts, outcomeAnyhow } from "./head-outcome.ts";
import { fieldsOf } from "./our-messages.ts";

function responseOutcome(pieces: readonly Buffer[]): Outcome {
  const reader = new ResponseHeadReader(responseHeadLimits);
  for (const piece of pieces) {
    const progress = reader.read(piece, 0);
    if (progress === HeadProgress.Rejected) return reader.rejection.reason;
    if (progress !== HeadProgress.Complete) continue;
    const { head } = reader;
    return {
      status: head.status,
      reason: head.bytes.toString("latin1", head.reasonStart, head.reasonEnd),
      versionMinor: head.versionMinor,
      keepAlive: head.keepAlive,
      delimiting: head.delimiting(false),
      delimitingOfHead: head.delimiting(true),
      contentLength: head.contentLength,
      isInformational: head.isInformational,
      upgradeWebsocket: head.upgradeWebsocket,
      keepAliveTimeoutMs: head.keepAliveTimeoutMs,
      fields: fieldsOf(head),
    };
  }
  return "more";
}

const ok = "HTTP/1.1 200 OK\r\n";

const accepted: Record<string, readonly [text: string, facts: object]> = {
  "the least": [
    `${ok}\r\n`,
    {
      status: 200,
      reason: "OK",
      versionMinor: 1,
      keepAlive: true,
      delimiting: "close",
      delimitingOfHead: "none",
      contentLength: -1,
      isInformational: false,
      upgradeWebsocket: false,
      keepAliveTimeoutMs: -1,
      fields: [],
    },
  ],
  "an empty reason": ["HTTP/1.1 200 \r\n\r\n", { reason: "" }],
  "no reason": ["HTTP/1.1 200\r\n\r\n", { reason: "" }],
  "every kind of byte in a reason": ["HTTP/1.1 404 \tN\xf6t \x80\xff:\r\n\r\n", { reason: "\tN\xf6t \x80\xff:" }],
  "HTTP/1.0": ["HTTP/1.0 200 OK\r\n\r\n", { versionMinor: 0, keepAlive: false }],
  "HTTP/1.0 kept alive": ["HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", { keepAlive: true }],
  "HTTP/1.2 is 1.1": ["HTTP/1.2 200 OK\r\n\r\n", { versionMinor: 1 }],
  "a status of our own making": ["HTTP/1.1 999 ?\r\n\r\n", { status: 999 }],
  "Connection: close": [`${ok}Connection: close\r\n\r\n`, { keepAlive: false }],
  "a malformed Connection does not persist": [`${ok}Connection: "x"\r\n\r\n`, { keepAlive: false }],
  "by length": [`${ok}Content-Length: 5\r\n\r\n`, { delimiting: "length", contentLength: 5, delimitingOfHead: "none" }],
  "of no length": [`${ok}Content-Length: 0\r\n\r\n`, { delimiting: "none", contentLength: 0 }],
  chunked: [`${ok}Transfer-Encoding: Chunked\r\n\r\n`, { delimiting: "chunked", delimitingOfHead: "none" }],
  "100": ["HTTP/1.1 100 Continue\r\n\r\n", { isInformational: true, delimiting: "none" }],
  "103 with a length": [
    "HTTP/1.1 103 Hints\r\nContent-Length: 5\r\n\r\n",
    { isInformational: true, delimiting: "none" },
  ],
  "204 with a length": ["HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", { delimiting: "none" }],
  "304 with a length": ["HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n", { delimiting: "none", contentLength: 5 }],
  "304 chunked": ["HTTP/1.1 304 Not\r\nTransfer-Encoding: chunked\r\n\r\n", { delimiting: "none" }],
  "101 to websocket": [
    "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n",
    { isInformational: true, upgradeWebsocket: true, delimiting: "none" },
  ],
  "101 to something else": [
    "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    { upgradeWebsocket: false },
  ],
  "101 that names no upgrade": ["HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n", { upgradeWebsocket: false }],
  "200 with Upgrade": [`${ok}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`, { upgradeWebsocket: false }],
  "Keep-Alive": [`${ok}Keep-Alive: max=5, timeout=7\r\n\r\n`, { keepAliveTimeoutMs: 7000 }],
  "Keep-Alive, quoted and odd": [`${ok}Keep-Alive: Timeout = "3", xtimeout=9\r\n\r\n`, { keepAliveTimeoutMs: 3000 }],
  "Keep-Alive without a number": [`${ok}Keep-Alive: timeout=x\r\n\r\n`, { keepAliveTimeoutMs: -1 }],
  "repeated fields keep their order": [
    `${ok}Set-Cookie: a=1\r\nX: 1\r\nset-cookie: b=2\r\n\r\n`,
    { fields: ["Set-Cookie", "a=1", "X", "1", "set-cookie", "b=2"] },
  ],
};

const refused: readonly (readonly [reason: RejectionReason, ...texts: readonly string[]])[] = [
  [
    "bad_status_line",
    "\r\nHTTP/1.1 200 OK\r\n",
    "http/1.1 200 OK\r\n",
    "ICY 200 OK\r\n",
    "HTTP/1.1  200 OK\r\n",
    "HTTP/1.1\t200 OK\r\n",
    "HTTP/1.1 20 OK\r\n",
    "HTTP/1.1 2000 OK\r\n",
    "HTTP/1.1 +20 OK\r\n",
    "HTTP/1.1 099 OK\r\n",
    "HTTP/1.1 200\tOK\r\n",
    "HTTP/1.1\r\n",
    "HTTP/1.1 \r\n",
    "HTTP/11 200 OK\r\n",
    "HTTP/1.1 200 O\0K\r\n",
    "HTTP/1.1 200 O\x7fK\r\n",
    "HTTP/1.1 200 O\rK\r\n",
    "<html>\r\n",
  ],
  ["version", "HTTP/0.9 200 OK\r\n", "HTTP/2.0 200 OK\r\n", "HTTP/3.0 200 OK\r\n"],
  ["bare_lf", "HTTP/1.1 200 OK\n", "HTTP/1.1 200\n", `${ok}X: 1\n`, `${ok}\n`, `${ok}X\n`],
  ["bare_cr", `${ok}X: 1\rY\r\n`, `${ok}\rx\r\n`],
  ["obs_fold", `${ok} X: 1\r\n`, `${ok}X: 1\r\n\tmore\r\n`],
  ["bad_name", `${ok}X : 1\r\n`, `${ok}: 1\r\n`, `${ok}X\r\n`, `${ok}X\x80: 1\r\n`],
  ["bad_value", `${ok}X: \0\r\n`, `${ok}X: \x7f\r\n`],
  ["bad_content_length", `${ok}Content-Length: 1, 1\r\n`, `${ok}Content-Length: -1\r\n`, `${ok}Content-Length:\r\n`],
  ["two_content_lengths", `${ok}Content-Length: 1\r\nContent-Length: 1\r\n`],
  ["length_and_chunked", `${ok}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n`],
  ["length_and_chunked", `${ok}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n`],
  [
    "bad_transfer_encoding",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n",
    `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n`,
    `${ok}Transfer-Encoding: chunked, gzip\r\n`,
    `${ok}Transfer-Encoding: chunked\t\r\n`,
    `${ok}Transfer-Encoding:\r\n`,
  ],
  ["unknown_transfer_coding", `${ok}Transfer-Encoding: gzip, chunked\r\n`, `${ok}Transfer-Encoding: identity\r\n`],
];

describe("response heads that are accepted", () => {
  for (const [name, [text, facts]] of Object.entries(accepted)) {
    test(name, () => assertFacts(outcomeAnyhow(text, responseOutcome), facts));
  }
});

describe("response heads that are refused", () => {
  for (const [reason, ...texts] of refused) {
    for (const text of texts) {
      test(`${reason}: ${JSON.stringify(text)}`, () => assert.equal(outcomeAnyhow(text, responseOutcome), reason));
    }
  }
});
