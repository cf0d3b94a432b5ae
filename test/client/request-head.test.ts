// The request head on its way to the target: Host rewritten in place, trace fields replaced, everything else untouched.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fieldListOf,
  fieldOf,
  endsUnrecorded,
  lastTraceparentOf,
  headForTarget,
  hostOf,
  methodOf,
  targetOf,
} from "../../src/client/request-head.ts";
import type { OpenExchange } from "../../src/wire/open.ts";

function open(text: string): OpenExchange {
  const head = Buffer.from(text, "latin1");
  const at = head.indexOf("Host: ");
  const hostAt = at < 0 ? 0 : at + 6;
  return {
    kind: "exchange",
    tunnel: 1,
    body: "none",
    headOnly: false,
    idempotent: true,
    upgrade: false,
    expectContinue: false,
    hostAt,
    hostLength: hostAt === 0 ? 0 : head.indexOf("\r\n", hostAt) - hostAt,
    head,
  };
}

const plain =
  "GET /a?b=%20 HTTP/1.1\r\nHost: Demo.Example.com:8080\r\nTraceParent: 00-1\r\ntracestate: x=1\r\nX-Y:  z \r\n\r\n";

void test("without changes the head is handed on as it is, uncopied", () => {
  const request = open(plain);
  assert.equal(headForTarget(request, undefined, undefined), request.head);
});

void test("only the Host value changes", () => {
  const request = open(plain);
  const changed = headForTarget(request, Buffer.from("localhost:8000"), { headerLines: "" }).toString("latin1");
  assert.equal(changed, plain.replace("Demo.Example.com:8080", "localhost:8000"));
  assert.equal(request.head.toString("latin1"), plain);
  const without = open("GET / HTTP/1.1\r\nA: b\r\n\r\n");
  assert.equal(headForTarget(without, Buffer.from("x"), undefined), without.head);
});

void test("trace lines replace the request's own", () => {
  const headerLines = "traceparent: 00-2\r\n";
  const changed = headForTarget(open(plain), Buffer.from("h"), { headerLines }).toString("latin1");
  assert.equal(changed, "GET /a?b=%20 HTTP/1.1\r\nHost: h\r\nX-Y:  z \r\ntraceparent: 00-2\r\n\r\n");
  const more = headForTarget(open(plain), Buffer.from("h"), { headerLines, replaces: ["x-y"] }).toString("latin1");
  assert.equal(more, "GET /a?b=%20 HTTP/1.1\r\nHost: h\r\ntraceparent: 00-2\r\n\r\n");
});

void test("what observers read", () => {
  const request = open(plain);
  assert.equal(methodOf(request.head), "GET");
  assert.equal(targetOf(request.head), "/a?b=%20");
  assert.equal(hostOf(request), "demo.example.com");
  assert.equal(fieldOf(request.head, "x-y"), "z");
  assert.equal(fieldOf(request.head, "traceparent"), "00-1");
  assert.equal(fieldOf(request.head, "x-"), undefined);
  assert.equal(hostOf(open("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n")), "[::1]");
});

void test("the method is read as it was sent, whether it is a frequent one or only begins like one", () => {
  for (const method of ["GET", "POST", "HEAD", "PUT", "DELETE", "GETX", "get", "PUTS", "G"]) {
    assert.equal(methodOf(open(`${method} /x HTTP/1.1\r\n\r\n`).head), method);
  }
});

void test("repeated fields are one list, whatever their case", () => {
  const { head } = open("GET / HTTP/1.1\r\nA: 1\r\nHost: h\r\na:2 \r\nAB: x\r\nB: a:4\r\nA:\r\n\r\n");
  assert.equal(fieldListOf(head, "a"), "1,2,");
  assert.equal(fieldListOf(head, "b"), "a:4");
  assert.equal(fieldListOf(head, "c"), undefined);
  assert.equal(fieldListOf(Buffer.from("GET / HTTP/1.1\r\n\r\n"), "a"), undefined);
});

void test("a server's traceparent is found where servers put it, and a visitor's words are not taken for it", () => {
  const value = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const last = (lines: string): string | undefined =>
    lastTraceparentOf(Buffer.from(`GET /x HTTP/1.1\r\nHost: h\r\n${lines}\r\n`));
  assert.equal(last(`traceparent: ${value}\r\n`), value);
  assert.equal(last(`traceparent: ${value}\r\ntracestate: a=1\r\n`), undefined);
  assert.equal(last(`Traceparent: ${value}\r\n`), undefined);
  assert.equal(last(`x: traceparent: ${value}\r\n`), undefined);
  assert.equal(last(`traceparent: ${value}0\r\n`), undefined);
  assert.equal(lastTraceparentOf(Buffer.from("GET / HTTP/1.1\r\n\r\n")), undefined);
});

test("a head that ends in a traceparent of an unrecorded trace is told by its last bytes", () => {
  const ids = `${"1".repeat(32)}-${"2".repeat(16)}`;
  const ends = (lines: string): boolean => endsUnrecorded(Buffer.from(`GET /x HTTP/1.1\r\nHost: h\r\n${lines}\r\n`));
  assert.equal(ends(`traceparent: 00-${ids}-00\r\n`), true);
  assert.equal(ends(`traceparent: 00-${ids}-01\r\n`), false);
  assert.equal(ends(`traceparent: 00-${ids}-02\r\n`), false);
  assert.equal(ends(`traceparent: 00-${ids}-10\r\n`), false);
  assert.equal(ends(`traceparent: 00-${ids}-00\r\ntracestate: a=1-00\r\n`), false);
  assert.equal(ends(`x-trace: 00-${ids}-00\r\n`), false);
  assert.equal(endsUnrecorded(Buffer.from("GET / HTTP/1.1\r\n\r\n")), false);
  assert.equal(endsUnrecorded(Buffer.alloc(0)), false);
});
