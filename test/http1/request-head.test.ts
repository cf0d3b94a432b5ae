// What request heads are accepted, and as what, as a table. Each row is also fed byte by byte and cut at every place,
// and must come out the same.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertFacts, outcomeAnyhow, requestOutcome } from "./head-outcome.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\n";
const post = "POST / HTTP/1.1\r\nHost: a\r\n";

const accepted: Record<string, readonly [text: string, facts: object]> = {
  "the least": [
    `${get}\r\n`,
    {
      method: "GET",
      target: "/",
      path: "/",
      form: "origin",
      versionMinor: 1,
      host: "a",
      authority: "a",
      hostIndex: 0,
      body: "none",
      contentLength: -1,
      keepAlive: true,
      headOnly: false,
      idempotent: true,
      upgradeWebsocket: false,
      expectContinue: false,
      nominated: [],
      fields: ["Host", "a"],
      rest: 0,
    },
  ],
  "what follows is left alone": [`${get}\r\nGET`, { rest: 3 }],
  "empty lines first": [`\r\n\r\n${get}\r\n`, { method: "GET", rest: 0 }],
  "a method of our own making": [`M-SEARCH!#$%&'*+.^_\`|~0 / HTTP/1.1\r\nHost: a\r\n\r\n`, { idempotent: false }],
  "methods are case-sensitive": ["head / HTTP/1.1\r\nHost: a\r\n\r\n", { method: "head", headOnly: false }],
  HEAD: ["HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", { headOnly: true, idempotent: true }],
  POST: ["POST / HTTP/1.1\r\nHost: a\r\n\r\n", { method: "POST", idempotent: false, body: "none" }],
  PUT: ["PUT / HTTP/1.1\r\nHost: a\r\n\r\n", { idempotent: true }],
  DELETE: ["DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", { idempotent: true }],
  TRACE: ["TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", { idempotent: true }],
  PATCH: ["PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", { idempotent: false }],
  "every byte of a target": [
    "GET /!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~%00%zz HTTP/1.1\r\nHost: a\r\n\r\n",
    { target: "/!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~%00%zz" },
  ],
  "OPTIONS *": ["OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", { form: "asterisk", path: "*" }],
  "absolute form": [
    "GET http://B.example:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
    { form: "absolute", host: "b.example", authority: "B.example:81", path: "/x?y", hostIndex: 0 },
  ],
  "absolute form without a path": ["GET HTTPS://b HTTP/1.1\r\nHost: a\r\n\r\n", { host: "b", path: "" }],
  "absolute form with only a query": ["GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n", { host: "b", path: "?q" }],
  "absolute form in HTTP/1.0": ["GET http://b/ HTTP/1.0\r\n\r\n", { host: "b", hostIndex: -1 }],
  "HTTP/1.0 without Host": [
    "GET / HTTP/1.0\r\n\r\n",
    { host: "", authority: "", hostIndex: -1, versionMinor: 0, keepAlive: false, fields: [] },
  ],
  "HTTP/1.0 kept alive": ["GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", { keepAlive: true }],
  "HTTP/1.0 kept alive and closed": ["GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n", { keepAlive: false }],
  "HTTP/1.9 is 1.1": ["GET / HTTP/1.9\r\nHost: a\r\n\r\n", { versionMinor: 1, keepAlive: true }],
  "Connection: close": [`${get}Connection: foo, CLOSE\r\n\r\n`, { keepAlive: false }],
  "Connection twice": [
    `${get}Connection: x\r\nConnection: close\r\nX: 1\r\n\r\n`,
    { keepAlive: false, nominated: [3] },
  ],
  "Connection with empty elements": [`${get}Connection: , ,close,\r\n\r\n`, { keepAlive: false }],
  "Connection, empty": [`${get}Connection:\r\n\r\n`, { keepAlive: true }],
  "Connection nominates, before and after": [
    `${get}x-a: 1\r\nConnection: X-A, x-b\r\nX-B: 2\r\nX-AB: 3\r\nX-A: 4\r\n\r\n`,
    { nominated: [1, 3, 5] },
  ],
  "nobody nominates framing, Host or Expect": [
    `${post}Connection: Host, Content-Length, Expect\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n`,
    { nominated: [], contentLength: 2, expectContinue: true },
  ],
  "values with blanks around": [
    `${get}X: \t a b\tc \t\r\nY:\r\nZ: \r\n\r\n`,
    { fields: ["Host", "a", "X", "a b\tc", "Y", "", "Z", ""] },
  ],
  "obs-text in a value": [`${get}X: \x80\xff\r\n\r\n`, { fields: ["Host", "a", "X", "\x80\xff"] }],
  "every byte of a name": [`${get}!#$%&'*+-.^_\`|~09azAZ: 1\r\n\r\n`, {}],
  "Host in any case, with port and dot": [
    "GET / HTTP/1.1\r\nhOST: A.ExAmple.:8080\r\n\r\n",
    { host: "a.example", authority: "A.ExAmple.:8080" },
  ],
  "Host as an IPv4 address": ["GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", { host: "127.0.0.1" }],
  "Host as an IPv6 address": ["GET / HTTP/1.1\r\nHost: [::FFFF:1.2.3.4]:65535\r\n\r\n", { host: "[::ffff:1.2.3.4]" }],
  "every byte of a reg-name": ["GET / HTTP/1.1\r\nHost: a-._~!$&'()*+;=%4a9\r\n\r\n", { host: "a-._~!$&'()*+;=%4a9" }],
  "Content-Length": [
    `${post}Content-Length: 9007199254740991\r\n\r\n`,
    { contentLength: Number.MAX_SAFE_INTEGER, body: "length" },
  ],
  "Content-Length of nothing": [`${post}Content-Length: 0\r\n\r\n`, { contentLength: 0, body: "none" }],
  "Content-Length with leading zeros": [`${post}Content-Length: ${"0".repeat(40)}12\r\n\r\n`, { contentLength: 12 }],
  chunked: [`${post}Transfer-Encoding:  CHUNKED \r\n\r\n`, { body: "chunked", contentLength: -1 }],
  "Expect: 100-continue": [`${post}Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n`, { expectContinue: true }],
  "Expect without a body": [`${post}Expect: 100-continue\r\n\r\n`, { expectContinue: false }],
  "Expect something else": [`${post}Expect: 200-ok\r\nContent-Length: 1\r\n\r\n`, { expectContinue: false }],
  "Expect in HTTP/1.0": [
    "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
    { expectContinue: false },
  ],
  websocket: [`${get}Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n`, { upgradeWebsocket: true }],
  "websocket unnamed by Connection": [`${get}Upgrade: websocket\r\n\r\n`, { upgradeWebsocket: false }],
  "websocket among others": [
    `${get}Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n`,
    { upgradeWebsocket: false },
  ],
  "websocket twice": [
    `${get}Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n\r\n`,
    { upgradeWebsocket: false },
  ],
  "websocket with a tab in Connection": [
    `${get}Connection: Upgrade\t\r\nUpgrade: websocket\r\n\r\n`,
    { upgradeWebsocket: false, keepAlive: true },
  ],
  "websocket by POST": [`${post}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, { upgradeWebsocket: false }],
  "websocket with a body": [
    `${get}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\n`,
    { upgradeWebsocket: false },
  ],
  "websocket in HTTP/1.0": [
    "GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    { upgradeWebsocket: false },
  ],
  "another protocol": [`${get}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`, { upgradeWebsocket: false }],
};

describe("request heads that are accepted", () => {
  for (const [name, [text, facts]] of Object.entries(accepted)) {
    test(name, () => assertFacts(outcomeAnyhow(text, requestOutcome), facts));
  }
});

test("a head that is not complete is more to come, at every length", () => {
  const text = `\r\nPOST http://a/b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n`;
  for (let length = 0; length < text.length; length++)
    assert.equal(outcomeAnyhow(text.slice(0, length), requestOutcome), "more");
});
