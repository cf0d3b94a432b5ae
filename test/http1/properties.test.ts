// Properties of the whole path: what was read, composed and read again says the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { composeRequest, composeResponse } from "../../src/http1/compose.ts";
import { fieldIds } from "../../src/http1/fields.ts";
import { HeadProgress, RequestHeadReader, ResponseHeadReader } from "../../src/http1/head-reader.ts";
import type { RequestHead } from "../../src/http1/head.ts";
import { requestHeadLimits, responseHeadLimits } from "../../src/http1/limits.ts";
import { cut, fieldsOf } from "./our-messages.ts";

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const value = fc.stringMatching(/^(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]{0,20}[!-~\x80-\xff])?)?$/);
const blanks = fc.stringMatching(/^[ \t]{0,3}$/);
const hostName = fc.stringMatching(/^[a-zA-Z0-9\-._]{0,20}[a-zA-Z0-9](?::[1-9][0-9]{0,3})?$/);
const path = fc.stringMatching(/^\/[!"$-~]{0,30}$/);
const special = /^(?:host|content-length|transfer-encoding|upgrade|expect|connection|te)$/;
const ordinaryNames = Object.keys(fieldIds).filter((name) => !special.test(name));
const field = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(token, value) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...ordinaryNames), value) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constant("Connection"),
      fc.array(token).map((list) => list.join(", ")),
    ),
  },
);
const plainLine = fc
  .tuple(field, blanks, blanks)
  .map(([[name, text], before, after]) => `${name}:${before}${text}${after}\r\n`);
const plainLines = fc.array(plainLine, { maxLength: 12 });
const framing = fc.constantFrom(
  "",
  "Content-Length: 0\r\n",
  "content-length:12 \r\n",
  "Transfer-Encoding: chunked\r\n",
);
const places = fc.array(fc.nat(2000), { maxLength: 6 });
const drop = new Uint8Array(256);
drop[fieldIds.caisson] = 1;

function cutsOf(bytes: Buffer, wanted: readonly number[]): number[] {
  return wanted.map((place) => place % bytes.length).toSorted((a, b) => a - b);
}

function factsOf(head: RequestHead): object {
  const { method, host, authority, body, contentLength, idempotent, headOnly, upgradeWebsocket, expectContinue } = head;
  const length = Math.max(0, contentLength);
  return { method, host, authority, body, length, idempotent, headOnly, upgradeWebsocket, expectContinue };
}

/** Names and values of what should be passed on, by another way than compose goes. */
function passed(fields: readonly string[]): string[] {
  const nominated = new Set<string>();
  const pairs: [string, string][] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const pair: [string, string] = [fields[index] ?? "", fields[index + 1] ?? ""];
    pairs.push(pair);
    if (pair[0].toLowerCase() !== "connection") continue;
    for (const option of pair[1].split(",")) nominated.add(option.trim().toLowerCase());
  }
  const gone =
    /^(?:connection|keep-alive|proxy-connection|te|transfer-encoding|upgrade|caisson-.+)$|^(?!.*[^\w-])(?=.*_)(?:x[_-]forwarded[_-].+|x[_-]real[_-]ip|content[_-]length|keep[_-]alive|transfer[_-]encoding|proxy[_-]connection|caisson[_-].+)$/i;
  const untouchable = /^(?:host|content-length|expect)$/i;
  return pairs.flatMap(([name, text]) =>
    gone.test(name) || (nominated.has(name.toLowerCase()) && !untouchable.test(name)) ? [] : [name, text],
  );
}

test("a request that was composed is read as what it was", () => {
  const absolute = hostName.chain((host) => path.map((rest) => `http://${host}${rest}`));
  const target = fc.oneof({ weight: 3, arbitrary: path }, { weight: 1, arbitrary: absolute });
  const hostLine = fc.tuple(hostName, blanks).map(([host, blank]) => `HoSt:${blank}${host}\r\n`);
  fc.assert(
    fc.property(
      token,
      target,
      plainLines,
      hostLine,
      framing,
      plainLines,
      places,
      (method, to, before, host, frame, after, cuts) => {
        fc.pre(method !== "CONNECT");
        const text = `${method} ${to} HTTP/1.1\r\n${before.join("")}${host}${frame}${after.join("")}\r\n`;
        const bytes = Buffer.from(text, "latin1");
        const reader = new RequestHeadReader(requestHeadLimits);
        let progress: HeadProgress = HeadProgress.More;
        for (const piece of cut(bytes, cutsOf(bytes, cuts))) progress = reader.read(piece, 0);
        assert.equal(
          progress,
          HeadProgress.Complete,
          progress === HeadProgress.Rejected ? reader.rejection.reason : "",
        );

        const composed = composeRequest(reader.head, { drop, suffix: "Via: 1.1 x\r\n", upgrade: false });
        const again = new RequestHeadReader(requestHeadLimits);
        assert.equal(again.read(composed.bytes, 0), HeadProgress.Complete);
        assert.equal(again.next, composed.bytes.length);
        assert.deepEqual(factsOf(again.head), factsOf(reader.head));
        assert.equal(again.head.target, to.replace(/^http:\/\/[^/]*/, ""));
        assert.equal(
          composed.bytes.toString("latin1", composed.hostAt, composed.hostAt + composed.hostLength),
          reader.head.authority,
        );

        const expected = passed(fieldsOf(reader.head));
        if (reader.head.form === "absolute") {
          const at = expected.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === "host");
          expected.splice(at, 2);
          expected.unshift("Host", reader.head.authority);
        }
        if (frame.startsWith("Transfer")) expected.push("Transfer-Encoding", "chunked");
        assert.deepEqual(fieldsOf(again.head), [...expected, "Via", "1.1 x"]);
      },
    ),
    { numRuns: 400 },
  );
});

test("a response that was composed is read as what it was", () => {
  const reason = fc.stringMatching(/^[ -~\x80-\xff]{0,15}$/);
  const version = fc.constantFrom("1.1", "1.0");
  fc.assert(
    fc.property(
      version,
      fc.integer({ min: 100, max: 999 }),
      reason,
      plainLines,
      framing,
      places,
      (minor, status, phrase, lines, frame, cuts) => {
        fc.pre(minor === "1.1" || !frame.startsWith("Transfer"));
        const bytes = Buffer.from(`HTTP/${minor} ${status} ${phrase}\r\n${lines.join("")}${frame}\r\n`, "latin1");
        const reader = new ResponseHeadReader(responseHeadLimits);
        let progress: HeadProgress = HeadProgress.More;
        for (const piece of cut(bytes, cutsOf(bytes, cuts))) progress = reader.read(piece, 0);
        assert.equal(progress, HeadProgress.Complete);

        const { head } = reader;
        const chunked = head.delimiting(false) === "chunked";
        const suffix = chunked ? "Transfer-Encoding: chunked\r\n" : "";
        const composed = composeResponse(head, { drop, suffix, upgrade: false });
        const again = new ResponseHeadReader(responseHeadLimits);
        assert.equal(again.read(composed, 0), HeadProgress.Complete);
        assert.equal(again.next, composed.length);
        assert.equal(again.head.status, status);
        assert.equal(composed.toString("latin1", again.head.reasonStart, again.head.reasonEnd), phrase);
        assert.equal(again.head.delimiting(false), head.delimiting(false));
        assert.equal(again.head.delimiting(true), head.delimiting(true));
      },
    ),
    { numRuns: 400 },
  );
});
