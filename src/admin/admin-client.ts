// Asks a running private listener, over TCP or a unix socket: for `caisson diag`, the gate and tests.

import type { IncomingMessage } from "node:http";
import { request as httpRequest } from "node:http";
import { CaissonError, messageOf } from "../lifecycle/errors.ts";
import type { AdminAddress } from "./admin-address.ts";

/** The largest answer that is kept, in bytes. Snapshots are larger; they are fetched by other means. */
const maxAnswerBytes: number = 64 * 1024 * 1024;
const idleMs = 60_000;

/** An answer in full. */
export interface AdminReply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** What is asked besides the path. */
export interface AdminQuestion {
  /** Default GET. */
  readonly method?: string;
  readonly accept?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** One listener to ask. Every question has a connection of its own. */
export class AdminClient {
  readonly #address: AdminAddress;
  readonly #token: string | undefined;

  constructor(address: AdminAddress, token?: string) {
    this.#address = address;
    this.#token = token;
  }

  /** Asks. Rejects with E_CONNECT if nobody answers, or not in full. */
  ask(path: string, question: AdminQuestion = {}): Promise<AdminReply> {
    const body = question.body === undefined ? undefined : JSON.stringify(question.body);
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        reject(
          new CaissonError("E_CONNECT", `the private listener did not answer: ${messageOf(error)}`, { cause: error }),
        );
      };
      const request = httpRequest({
        ...("path" in this.#address ? { socketPath: this.#address.path } : this.#address),
        path,
        method: question.method ?? "GET",
        agent: false,
        timeout: idleMs,
        headers: {
          // A name that every listener takes for its own, whatever its address.
          Host: "localhost",
          ...(this.#token !== undefined && { Authorization: `Bearer ${this.#token}` }),
          ...(question.accept !== undefined && { Accept: question.accept }),
          ...(body !== undefined && { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) }),
        },
      });
      request.on("error", fail);
      request.on("timeout", () => request.destroy(new Error("it took too long")));
      request.on("response", (response: IncomingMessage) => {
        readAll(response).then(
          (bytes) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes }),
          fail,
        );
      });
      request.end(body);
    });
  }
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error(`the answer has more than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
