// What a request body does with the memory that its chunks lie in: a block is used again only when nothing of it waits to leave.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HeadProgress, RequestHeadReader } from "../../src/http1/head-reader.ts";
import { requestHeadLimits } from "../../src/http1/limits.ts";
import { TransferMemory } from "../../src/lifecycle/transfer-memory.ts";
import type { Exchange } from "../../src/server/exchange.ts";
import { BodyProgress, RequestBody } from "../../src/server/request-body.ts";

/** What an exchange is handed, in order. */
class Handed {
  readonly parts: Buffer[] = [];
  trailers: Buffer | undefined;

  sendBody(bytes: Buffer): boolean {
    if (bytes.length > 0) this.parts.push(bytes);
    return true;
  }

  sendTrailers(section: Buffer): void {
    this.trailers = section;
  }
}

/** Feeds a chunked body that fills lent memory, and gives back each part as a stream does. Answers the blocks that came back. */
function blocksAfter(text: string): { readonly freeBlocks: number; readonly handed: Handed } {
  const memory = new TransferMemory();
  const reader = new RequestHeadReader(requestHeadLimits);
  const head = Buffer.from("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "latin1");
  assert.equal(reader.read(head, 0), HeadProgress.Complete);
  const body = new RequestBody({ maxBytes: 1 << 30, memory });
  const handed = new Handed();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a body asks nothing else of its exchange
  body.begin(reader.head, handed as unknown as Exchange);
  const chunk = memory.lend(text.length);
  chunk.write(text, "latin1");
  assert.equal(body.feed(chunk, 0), BodyProgress.Complete);
  for (const part of handed.parts) memory.giveBack(part);
  return { freeBlocks: memory.freeBlocks, handed };
}

describe("the memory of a chunked body", () => {
  const data = "x".repeat(40_000);
  const chunks = `9c40\r\n${data}\r\n9c40\r\n${data}\r\n0\r\n`;

  it("comes back with the last of its parts", () => {
    const { freeBlocks, handed } = blocksAfter(`${chunks}\r\n`);
    assert.equal(handed.parts.length, 2);
    assert.equal(freeBlocks, 1);
  });

  it("does not come back before trailers that lie in it have left", () => {
    const { freeBlocks, handed } = blocksAfter(`${chunks}X-Sum: 1\r\n\r\n`);
    assert.equal(handed.trailers?.toString("latin1"), "X-Sum: 1\r\n");
    assert.equal(freeBlocks, 0);
  });
});
