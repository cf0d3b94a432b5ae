// A rig whose target counts what reaches it, and what is to be proven after every hostile request: it was refused in the
// right way, it opened nothing, and the next visitor is served.

import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServeOptions } from "../../src/assemble/serve.ts";
import { RawClient } from "../support/raw-client.ts";
import { Rig } from "../support/rig.ts";
import { Words } from "./words.ts";

/** What a refused request must be answered with. */
export interface Refusal {
  readonly status: number;
  /** The reason word, if it matters which. */
  readonly reason?: string;
}

/** A server, a client, and a target that keeps a list. */
export class GuardedRig {
  readonly rig: Rig;
  readonly words: Words;
  /** Request targets whose head reached the target, and those of which the end did, too. */
  readonly begun: string[];
  readonly complete: string[];

  private constructor(rig: Rig, lists: Pick<GuardedRig, "words" | "begun" | "complete">) {
    this.rig = rig;
    this.words = lists.words;
    this.begun = lists.begun;
    this.complete = lists.complete;
  }

  static async start(serve: ServeOptions = {}): Promise<GuardedRig> {
    const lists = { words: new Words(), begun: [] as string[], complete: [] as string[] };
    const target = (request: IncomingMessage, response: ServerResponse): void => {
      const name = request.url ?? "";
      lists.begun.push(name);
      request.resume();
      request.on("error", () => undefined);
      request.on("end", () => {
        if (!request.complete) return;
        lists.complete.push(name);
        response.end(`answer to ${name}`);
      });
    };
    const rig = await Rig.start({ target, serve, serverSubscribers: [lists.words] });
    return new GuardedRig(rig, lists);
  }

  get port(): number {
    return this.rig.port;
  }

  /** Streams opened so far. */
  get streams(): number {
    return this.rig.serverLedger.accounts.stream.opened;
  }

  /** Sends the pieces as they are; all of them must come to nothing but the refusal, on a connection that closes. */
  async refuses(pieces: readonly (string | Buffer)[], refusal: Refusal): Promise<void> {
    const { streams } = this;
    const begun = this.begun.length;
    const visitor = await RawClient.connect(this.port);
    try {
      for (const piece of pieces) visitor.send(piece);
      assert.equal(await visitor.ended(), "fin", "the connection ends in good order");
      const [head = "", body = ""] = visitor.text.split("\r\n\r\n");
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${refusal.status} `), "the status");
      assert.match(head, /\r\nCaisson-Error: bad_request(?:\r\n|$)/, "says whose error it is");
      assert.match(head, /\r\nConnection: close(?:\r\n|$)/, "says that it closes");
      assert.equal(head.match(/HTTP\/1\.1/g)?.length, 1, "one answer");
      assert.doesNotMatch(body, /HTTP\/1\.1/, "one answer");
      if (refusal.reason !== undefined) assert.equal(this.words.badRequests.at(-1), refusal.reason, "the reason");
    } finally {
      visitor.close();
    }
    assert.equal(this.streams, streams, "no stream was opened");
    assert.equal(this.begun.length, begun, "nothing reached the target");
  }

  /** The server answers another visitor. */
  async servesOn(): Promise<void> {
    const answer = await this.rig.fetch("/next");
    assert.deepEqual([answer.status, answer.body], [200, "answer to /next"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig.close();
  }
}
