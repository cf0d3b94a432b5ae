// What a target with a Host of its own says of itself becomes the public URL's; what leads elsewhere stays.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OriginRewrite } from "../../src/client/origin-rewrite.ts";
import type { TargetOptions } from "../../src/client/target.ts";
import { parseTarget } from "../../src/client/target.ts";
import { ResponseHead } from "../../src/http1/head.ts";
import { HeadProgress, ResponseHeadReader } from "../../src/http1/head-reader.ts";
import { responseHeadLimits } from "../../src/http1/limits.ts";

const shop = "https://shop.example.com";

function rewriteOf(target: string, publicUrl: string, options: TargetOptions = { hostHeader: "rewrite" }) {
  return OriginRewrite.of(parseTarget("http", target, options), publicUrl);
}

/** Applies it to a head, which may lie anywhere in its chunk. Answers the head as it came and as it goes. */
function applied(rewrite: OriginRewrite | undefined, lines: readonly string[]): { before: Buffer; after: Buffer } {
  const text = `HTTP/1.1 302 Found\r\n${lines.join("\r\n")}\r\n\r\n`;
  const chunk = Buffer.from(`junk${text}body`, "latin1");
  const reader = new ResponseHeadReader(responseHeadLimits, new ResponseHead(responseHeadLimits));
  assert.equal(reader.read(chunk, 4), HeadProgress.Complete, text);
  const before = chunk.subarray(4, reader.head.end);
  assert.ok(rewrite);
  return { before, after: rewrite.apply(reader.head, before) };
}

function fieldAfter(rewrite: OriginRewrite | undefined, line: string): string {
  const { before, after } = applied(rewrite, ["A: 1", line, "Content-Length: 4"]);
  const lines = after.toString("latin1").split("\r\n");
  if (lines[2] === line) assert.equal(after, before, "an unchanged head is not copied");
  assert.deepEqual(
    [lines[0], lines[1], ...lines.slice(3)],
    ["HTTP/1.1 302 Found", "A: 1", "Content-Length: 4", "", ""],
  );
  return lines[2] ?? "";
}

void test("URLs of the target lead to the public URL, all others stay", () => {
  const rows: readonly (readonly [target: string, url: string, expected: string | undefined])[] = [
    ["8000", "http://localhost:8000/login?next=%2F#top", "/login?next=%2F#top"],
    ["8000", "http://localhost:8000", ""],
    ["8000", "http://LocalHost:08000?x", "?x"],
    ["8000", "HTTP://127.0.0.1:8000/", "/"],
    ["8000", "http://[::1]:8000/", "/"],
    ["8000", "https://localhost:8000/", "/"],
    ["8000", "//localhost:8000/x", "/x"],
    ["8000", "http://localhost:8000//evil.test/", "//evil.test/"],
    ["8000", "/login", undefined],
    ["8000", "login", undefined],
    ["8000", "", undefined],
    ["8000", "http://localhost/", undefined],
    ["8000", "http://localhost:8001/", undefined],
    ["8000", "http://localhost:80000/", undefined],
    ["8000", "http://localhost:8000@evil.test/", undefined],
    ["8000", "http://a@localhost:8000/", undefined],
    ["8000", "http://localhost:8000\\@evil.test/", undefined],
    ["8000", "http://localhost:8000.evil.test/", undefined],
    ["8000", "http://localhost.evil.test:8000/", undefined],
    ["8000", "http:///localhost:8000/", undefined],
    ["8000", "http:/localhost:8000/", undefined],
    ["8000", "ftp://localhost:8000/", undefined],
    ["8000", "http://example.com/http://localhost:8000/", undefined],
    ["app.lan:80", "http://app.lan/x", "/x"],
    ["app.lan:80", "http://app.lan:80/x", "/x"],
    // To a visitor of a public HTTPS URL, who is announced as one, this is the same place.
    ["app.lan:80", "https://app.lan/x", "/x"],
    ["app.lan:80", "http://127.0.0.1/x", undefined],
    ["app.lan:80", "http://other.lan/x", undefined],
    ["https://app.lan", "https://app.lan/x", "/x"],
    ["https://app.lan", "http://app.lan/x", undefined],
    ["https://app.lan", "//app.lan/x", "/x"],
    ["https://[fd00::1]:8443", "https://[FD00::1]:8443/", "/"],
  ];
  for (const [target, url, expected] of rows) {
    const rewrite = rewriteOf(target, shop);
    const wanted = expected === undefined ? url : shop + expected;
    assert.equal(fieldAfter(rewrite, `Location: ${url}`), `Location: ${wanted}`, `${target} ${url}`);
    assert.equal(fieldAfter(rewrite, `content-LOCATION:   ${url}`), `content-LOCATION:   ${wanted}`);
    assert.equal(fieldAfter(rewrite, `Refresh: 5; url=${url}`), `Refresh: 5; url=${wanted}`);
  }
  assert.equal(
    fieldAfter(rewriteOf("8000", "http://a.localhost:8080/"), "Location: http://localhost:8000/x"),
    "Location: http://a.localhost:8080/x",
  );
});

void test("a Host of any other value counts as the target's own name", () => {
  const rewrite = rewriteOf("8000", shop, { hostHeader: "app.test" });
  const rows: readonly (readonly [url: string, expected: string | undefined])[] = [
    ["http://app.test/", "/"],
    ["https://app.test/", "/"],
    ["http://app.test:8000/", "/"],
    ["http://localhost:8000/", "/"],
    ["http://app.test:8001/", undefined],
    ["http://localhost/", undefined],
  ];
  for (const [url, expected] of rows) {
    assert.equal(
      fieldAfter(rewrite, `Location: ${url}`),
      `Location: ${expected === undefined ? url : shop + expected}`,
    );
  }
  const plain = rewriteOf("8000", "http://shop.example.com", { hostHeader: "app.test:9000" });
  assert.equal(fieldAfter(plain, "Location: http://app.test:9000/"), "Location: http://shop.example.com/");
  assert.equal(fieldAfter(plain, "Location: http://app.test/"), "Location: http://app.test/");
});

void test("Refresh in the forms that browsers read", () => {
  const rewrite = rewriteOf("8000", shop);
  for (const [value, expected] of [
    ["0;http://localhost:8000/x", `0;${shop}/x`],
    ["3, URL='http://localhost:8000/x'", `3, URL='${shop}/x'`],
    ['3;url="http://localhost:8000"', `3;url="${shop}"`],
    ["5", "5"],
    ["5; url=/x", "5; url=/x"],
    ["http://localhost:8000/", "http://localhost:8000/"],
  ] as const) {
    assert.equal(fieldAfter(rewrite, `Refresh: ${value}`), `Refresh: ${expected}`);
  }
});

void test("a cookie's domain goes if it is the target's and not the public host's", () => {
  const rows: readonly (readonly [target: string, cookie: string, expected: string | undefined])[] = [
    ["8000", "a=b; Domain=localhost; Path=/; HttpOnly", "a=b; Path=/; HttpOnly"],
    ["8000", "a=b;domain=127.0.0.1", "a=b"],
    ["app.lan:80", "a=b; Path=/; DOMAIN = .App.Lan ; Secure", "a=b; Path=/; Secure"],
    ["web.app.lan:80", "a=b; Domain=app.lan", "a=b"],
    ["web.app.lan:80", "a=b; Domain=app.lan; Domain=.web.app.lan", "a=b"],
    ["web.app.lan:80", "a=b; Domain=lan", undefined],
    ["web.app.lan:80", "a=b; Domain=pp.lan", undefined],
    ["10.0.0.1:80", "a=b; Domain=10.0.0.1", "a=b"],
    ["10.0.0.1:80", "a=b; Domain=0.0.1", undefined],
    // Public and target's host share it: browsers take it as it is.
    ["web.example.com:80", "a=b; Domain=example.com", undefined],
    ["web.example.com:80", "a=b; Domain=web.example.com", "a=b"],
    ["app.lan:80", "a=b; Domain=shop.example.com", undefined],
    ["app.lan:80", "a=b; Domain=other.test", undefined],
    ["app.lan:80", "a=b; Domain=; Domain", undefined],
    ["app.lan:80", "a=Domain=app.lan; Path=/", undefined],
    ["app.lan:80", "Domain=app.lan", undefined],
    ["app.lan:80", "a=http://app.lan/; Path=/", undefined],
    ["app.lan:80", "a=b; Path=/; Secure", undefined],
  ];
  for (const [target, cookie, expected] of rows) {
    const line = fieldAfter(rewriteOf(target, shop), `Set-Cookie: ${cookie}`);
    assert.equal(line, `Set-Cookie: ${expected ?? cookie}`, target);
  }
});

void test("several fields of one head, each by itself", () => {
  const { after } = applied(rewriteOf("8000", shop), [
    "Set-Cookie: a=1; Domain=localhost",
    "Link: <http://localhost:8000/s.css>",
    "set-cookie: b=2",
    "SET-COOKIE: c=\xff; domain=localhost",
    "Location: http://localhost:8000/",
  ]);
  assert.equal(
    after.toString("latin1"),
    "HTTP/1.1 302 Found\r\nSet-Cookie: a=1\r\nLink: <http://localhost:8000/s.css>\r\nset-cookie: b=2\r\n" +
      `SET-COOKIE: c=\xff\r\nLocation: ${shop}/\r\n\r\n`,
  );
});

void test("there is nothing to rewrite without a Host of its own, or without a public URL that one can lead to", () => {
  assert.equal(rewriteOf("8000", shop, {}), undefined);
  for (const url of ["tcp://example.com:1", "nonsense", ""]) assert.equal(rewriteOf("8000", url), undefined);
  // What a server says is never more than an origin.
  const hostile = rewriteOf("8000", "https://a.test/x\r\nEvil: 1");
  assert.equal(fieldAfter(hostile, "Location: http://localhost:8000/"), "Location: https://a.test/");
});

void test("a head that would become longer than heads may be goes as it came", () => {
  const rewrite = rewriteOf("8000", `https://${"a".repeat(63)}.example.com`);
  const lines = ["Location: http://localhost:8000/", `X: ${"x".repeat(32_768 - 80)}`];
  const { before, after } = applied(rewrite, lines);
  assert.equal(after, before);
});

void test("whatever the values are, the head stays a head with the same fields", () => {
  const name = fc.constantFrom("Location", "Set-Cookie", "Refresh", "Content-Location", "X");
  const part = fc.constantFrom(
    "http:",
    "//",
    "localhost",
    ":8000",
    ";",
    "domain=",
    "/",
    "@",
    "\\",
    "=",
    "5",
    "url=",
    " ",
    "\xe4",
  );
  const value = fc.array(part, { maxLength: 10 }).map((parts) => parts.join("").trim());
  const fields = fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fields, (pairs) => {
      const { after } = applied(
        rewriteOf("8000", shop),
        pairs.map(([key, text]) => `${key}: ${text}`),
      );
      const reader = new ResponseHeadReader(responseHeadLimits, new ResponseHead(responseHeadLimits));
      assert.equal(reader.read(after, 0), HeadProgress.Complete);
      assert.equal(reader.head.end, after.length);
      assert.equal(reader.head.fieldCount, pairs.length);
    }),
  );
});
