// Every request that must be rejected before it is routed, sent raw through the whole system.

import { test } from "node:test";
import { GuardedRig } from "./guarded-rig.ts";

const host = "Host: demo.localhost\r\n";
const smuggled = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;

type Row = readonly [what: string, bytes: string, status?: number, reason?: string];

/** A POST with these framing fields, and a body that would fit more than one reading of them. */
function framed(fields: string, version = "1.1"): string {
  return `POST /hostile HTTP/${version}\r\n${host}${fields}\r\n5\r\nhello\r\n0\r\n\r\n`;
}

function withField(line: string): string {
  return `GET /hostile HTTP/1.1\r\n${host}${line}\r\n\r\n`;
}

function toHost(value: string): string {
  return `GET /hostile HTTP/1.1\r\nHost: ${value}\r\n\r\n`;
}

function requestLine(line: string): string {
  return `${line}\r\n${host}\r\n`;
}

const framing: readonly Row[] = [
  ["Content-Length with Transfer-Encoding", framed("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")],
  ["Transfer-Encoding with Content-Length", framed("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")],
  ["both, in odd case", framed("tRANSFER-eNCODING: CHUNKED\r\ncONTENT-lENGTH: 0\r\n")],
  ["two equal Content-Lengths", framed("Content-Length: 5\r\nContent-Length: 5\r\n"), 400, "two_content_lengths"],
  ["two different Content-Lengths", framed("Content-Length: 5\r\nContent-Length: 6\r\n"), 400, "two_content_lengths"],
  ["a list of lengths", framed("Content-Length: 5, 5\r\n"), 400, "bad_content_length"],
  ["a plus sign", framed("Content-Length: +5\r\n"), 400, "bad_content_length"],
  ["a minus sign", framed("Content-Length: -5\r\n"), 400, "bad_content_length"],
  ["a hexadecimal length", framed("Content-Length: 0x5\r\n"), 400, "bad_content_length"],
  ["a length in quotes", framed('Content-Length: "5"\r\n'), 400, "bad_content_length"],
  ["a blank inside a length", framed("Content-Length: 1 0\r\n"), 400, "bad_content_length"],
  ["an empty length", framed("Content-Length:\r\n"), 400, "bad_content_length"],
  ["a length with a letter", framed("Content-Length: 5a\r\n"), 400, "bad_content_length"],
  ["an exponent", framed("Content-Length: 1e1\r\n"), 400, "bad_content_length"],
  ["a length of 2^53", framed("Content-Length: 9007199254740992\r\n"), 400, "bad_content_length"],
  ["a length of 2^64 + 5", framed("Content-Length: 18446744073709551621\r\n"), 400, "bad_content_length"],
  ["identity", framed("Transfer-Encoding: identity\r\n"), 501],
  ["gzip, chunked", framed("Transfer-Encoding: gzip, chunked\r\n"), 501],
  ["chunked, gzip", framed("Transfer-Encoding: chunked, gzip\r\n")],
  ["chunked twice", framed("Transfer-Encoding: chunked, chunked\r\n")],
  ["chunked in two fields", framed("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")],
  ["chunked with a parameter", framed("Transfer-Encoding: chunked;q=1\r\n")],
  ["xchunked", framed("Transfer-Encoding: xchunked\r\n"), 501],
  ["an empty Transfer-Encoding", framed("Transfer-Encoding:\r\n")],
  ["a vertical tab before chunked", framed("Transfer-Encoding: \vchunked\r\n")],
  ["chunked in HTTP/1.0", framed("Transfer-Encoding: chunked\r\n", "1.0")],
  ["Transfer-Encoding behind a bare CR", framed("X: y\rTransfer-Encoding: chunked\r\n")],
  ["a blank before the colon of Transfer-Encoding", framed("Transfer-Encoding : chunked\r\n")],
];

const lines: readonly Row[] = [
  ["a bare LF behind the request line", `GET /hostile HTTP/1.1\n${host}\r\n`],
  ["bare LFs everywhere", "GET /hostile HTTP/1.1\nHost: demo.localhost\n\n"],
  ["a bare LF behind a field", `GET /hostile HTTP/1.1\r\nHost: demo.localhost\nX: y\r\n\r\n`, 400, "bare_lf"],
  ["a bare LF as the empty line", `GET /hostile HTTP/1.1\r\n${host}\n`, 400, "bare_lf"],
  ["a bare CR in a value", withField("X: a\rb")],
  ["a bare CR as a line's end", withField("X: a\rY: b")],
  ["a NUL in a value", withField("X: a\0b")],
  ["a control byte in a value", withField("X: a\x01b")],
  ["DEL in a value", withField("X: a\x7fb")],
  ["a NUL in a name", withField("X\0: y")],
  ["a folded line", withField("X: a\r\n b"), 400, "obs_fold"],
  ["a line folded by a tab", withField("X: a\r\n\tb"), 400, "obs_fold"],
  ["a fold before the first field", `GET /hostile HTTP/1.1\r\n ${host}\r\n`, 400, "obs_fold"],
  ["a blank before the colon", withField("X : y"), 400, "bad_name"],
  ["a tab before the colon", withField("X\t: y"), 400, "bad_name"],
  ["an empty name", withField(": y"), 400, "bad_name"],
  ["a name that is no token", withField("X(Y): z"), 400, "bad_name"],
  ["a name with raw bytes above 0x7F", withField("X\xe4: y"), 400, "bad_name"],
  ["a line without a colon", withField("nonsense"), 400, "bad_name"],
  ["blanks in an option of Connection", withField("Connection: close keep-alive"), 400, "bad_connection"],
  ["too many empty lines before a request", `${"\r\n".repeat(5)}${smuggled}`, 400, "empty_lines"],
];

const hosts: readonly Row[] = [
  ["no Host", "GET /hostile HTTP/1.1\r\nX: y\r\n\r\n", 400, "no_host"],
  ["two Hosts", `GET /hostile HTTP/1.1\r\n${host}Host: other.localhost\r\n\r\n`, 400, "two_hosts"],
  ["two equal Hosts", `GET /hostile HTTP/1.1\r\n${host}${host}\r\n`, 400, "two_hosts"],
  [
    "two Hosts beside an absolute target",
    `GET http://demo.localhost/ HTTP/1.1\r\n${host}${host}\r\n`,
    400,
    "two_hosts",
  ],
  ["an empty Host", toHost(""), 400, "bad_host"],
  ["a list", toHost("demo.localhost, other.localhost"), 400, "bad_host"],
  ["a list without blanks", toHost("demo.localhost,other.localhost"), 400, "bad_host"],
  ["userinfo", toHost("user@demo.localhost"), 400, "bad_host"],
  ["a path", toHost("demo.localhost/x"), 400, "bad_host"],
  ["a query", toHost("demo.localhost?x"), 400, "bad_host"],
  ["a port of letters", toHost("demo.localhost:http"), 400, "bad_host"],
  ["a port that is none", toHost("demo.localhost:65536"), 400, "bad_host"],
  ["port 0", toHost("demo.localhost:0"), 400, "bad_host"],
  ["two ports", toHost("demo.localhost:80:80"), 400, "bad_host"],
  ["a blank", toHost("demo .localhost"), 400, "bad_host"],
  ["a backslash", toHost("demo\\localhost"), 400, "bad_host"],
  ["raw bytes above 0x7F", toHost("dem\xf6.localhost"), 400, "bad_host"],
  ["half an IPv6 address", toHost("[::1"), 400, "bad_host"],
  ["an IPv6 address with a zone", toHost("[fe80::1%25eth0]"), 400, "bad_host"],
  ["a host of 300 letters", toHost("a".repeat(300)), 400, "bad_host"],
];

const targets: readonly Row[] = [
  ["CONNECT", requestLine("CONNECT demo.localhost:443 HTTP/1.1"), 501, "connect"],
  ["CONNECT with a path", requestLine("CONNECT / HTTP/1.1"), 501, "connect"],
  ["* for something else than OPTIONS", requestLine("GET * HTTP/1.1"), 400, "bad_target"],
  ["a target without a slash", requestLine("GET hostile HTTP/1.1"), 400, "bad_target"],
  ["another scheme", requestLine("GET ftp://demo.localhost/ HTTP/1.1"), 400, "bad_target"],
  ["an absolute target without a host", requestLine("GET http:///x HTTP/1.1"), 400, "bad_target"],
  ["an absolute target with userinfo", requestLine("GET http://u:p@demo.localhost/ HTTP/1.1"), 400, "bad_target"],
  ["raw bytes above 0x7F", requestLine("GET /h\xe4 HTTP/1.1"), 400, "bad_target"],
  ["a NUL", requestLine("GET /\0 HTTP/1.1"), 400, "bad_target"],
  ["a tab instead of a blank", requestLine("GET\t/hostile HTTP/1.1")],
  ["two blanks", requestLine("GET  /hostile HTTP/1.1")],
  ["a blank before the method", requestLine(" GET /hostile HTTP/1.1"), 400, "bad_method"],
  ["a blank behind the version", requestLine("GET /hostile HTTP/1.1 ")],
  ["a method that is no token", requestLine("G@T /hostile HTTP/1.1"), 400, "bad_method"],
  ["HTTP/0.9 as it was", "GET /hostile\r\n", 505, "version"],
  ["HTTP/0.9 by name", requestLine("GET /hostile HTTP/0.9"), 505, "version"],
  ["HTTP/2.0", requestLine("GET /hostile HTTP/2.0"), 505, "version"],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version"],
  ["HTTP/11", requestLine("GET /hostile HTTP/11"), 400, "bad_version"],
  ["HTTP/1.10", requestLine("GET /hostile HTTP/1.10"), 400, "bad_version"],
  ["http/1.1", requestLine("GET /hostile http/1.1"), 400, "bad_version"],
  ["the first bytes of TLS", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 400, "bad_method"],
  ["an answer instead of a request", "HTTP/1.1 200 OK\r\n\r\n"],
];

const sizes: readonly Row[] = [
  ["a request line above 8 KiB", requestLine(`GET /${"a".repeat(8_200)} HTTP/1.1`), 414, "line_too_long"],
  ["a request line without an end", "G".repeat(8_192), 414, "line_too_long"],
  ["101 fields", withField(Array.from({ length: 100 }, (_, n) => `X-${n}: y`).join("\r\n")), 431, "too_many_fields"],
  ["a head above 16 KiB", withField(`X: ${"a".repeat(16_400)}`), 431, "head_too_large"],
  ["a field without an end", `GET /hostile HTTP/1.1\r\n${host}X: ${"a".repeat(17_000)}`, 431, "head_too_large"],
  ["a name without an end", `GET /hostile HTTP/1.1\r\n${host}${"a".repeat(17_000)}`, 431, "head_too_large"],
];

for (const [name, rows] of Object.entries({ framing, lines, hosts, targets, sizes })) {
  void test(`refused before it is routed: ${name}`, async (t) => {
    await using guarded = await GuardedRig.start();
    for (const [what, bytes, status = 400, reason] of rows) {
      await t.test(what, async () => {
        const refusal = { status, ...(reason === undefined ? {} : { reason }) };
        await guarded.refuses([bytes, smuggled], refusal);
        // Cut in the middle, and in the middle of the last line.
        const cut = Math.floor(bytes.length / 2);
        await guarded.refuses([bytes.slice(0, cut), bytes.slice(cut, -3), bytes.slice(-3), smuggled], refusal);
        await guarded.servesOn();
      });
    }
  });
}
