// What becomes of one head, however its bytes are cut: the same facts, or the same reason of refusal.

import assert from "node:assert/strict";
import { HeadProgress, RequestHeadReader } from "../../src/http1/head-reader.ts";
import type { RequestHead } from "../../src/http1/head.ts";
import { rejections, requestHeadLimits } from "../../src/http1/limits.ts";
import { cut, fieldsOf } from "./our-messages.ts";

/** The facts of a head, the reason of its refusal, or `more`. */
export type Outcome = object | string;

/** The outcome of `text` whole; byte by byte and cut at every place it must be the same. */
export function outcomeAnyhow(text: string, outcomeOf: (pieces: readonly Buffer[]) => Outcome): Outcome {
  const bytes = Buffer.from(text, "latin1");
  const whole = outcomeOf([bytes]);
  const everywhere = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, index) => index + 1);
  assert.deepEqual(outcomeOf(cut(bytes, everywhere)), whole, "byte by byte");
  for (const at of everywhere) assert.deepEqual(outcomeOf(cut(bytes, [at])), whole, `cut at ${at}`);
  return whole;
}

/** Fails unless `outcome` has these facts among others. */
export function assertFacts(outcome: Outcome, facts: object): void {
  if (typeof outcome === "string") assert.fail(`refused: ${outcome}`);
  assert.deepEqual({ ...outcome, ...facts }, outcome);
}

/** Reads one request head from pieces. */
export function requestOutcome(pieces: readonly Buffer[]): Outcome {
  const reader = new RequestHeadReader(requestHeadLimits);
  let left = pieces.reduce((sum, piece) => sum + piece.length, 0);
  for (const piece of pieces) {
    const progress = reader.read(piece, 0);
    if (progress === HeadProgress.Rejected) {
      assert.equal(rejections[reader.rejection.reason], reader.rejection);
      return reader.rejection.reason;
    }
    if (progress === HeadProgress.Complete) return factsOf(reader.head, left - reader.next);
    left -= piece.length;
  }
  return "more";
}

function factsOf(head: RequestHead, rest: number): object {
  const nominated = [...head.nominated.subarray(0, head.fieldCount)].flatMap((mark, index) => (mark ? [index] : []));
  return {
    method: head.method,
    target: head.target,
    path: head.bytes.toString("latin1", head.pathStart, head.targetEnd),
    form: head.form,
    versionMinor: head.versionMinor,
    host: head.host,
    authority: head.authority,
    hostIndex: head.hostIndex,
    body: head.body,
    contentLength: head.contentLength,
    keepAlive: head.keepAlive,
    headOnly: head.headOnly,
    idempotent: head.idempotent,
    upgradeWebsocket: head.upgradeWebsocket,
    expectContinue: head.expectContinue,
    nominated,
    fields: fieldsOf(head),
    rest,
  };
}
