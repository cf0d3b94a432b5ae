// One request, its answer checked byte by byte. It is sent as wrk sends it, so that the answer has the same length.

import { connect } from "node:net";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { patternStart } from "../targets/pattern.ts";

/** The request, and the length of the body that must come back. */
export interface CheckedRequest {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly answerBytes: number;
  /** 0 is a GET. */
  readonly bodyBytes: number;
}

const patienceMs = 10_000;

/** Resolves with the length of the whole answer, head included. Rejects with E_GATE if it is not 200 with the right bytes. */
export function checkedAnswer({ port, host, path, answerBytes, bodyBytes }: CheckedRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let received = Buffer.alloc(0);
    const settle = (outcome: number | string): void => {
      clearTimeout(timer);
      socket.destroy();
      if (typeof outcome === "number") resolve(outcome);
      else reject(new CaissonError("E_GATE", `${path} was not answered as it should: ${outcome}`));
    };
    const timer = setTimeout(() => settle("nothing in time"), patienceMs);
    const method = bodyBytes > 0 ? "POST" : "GET";
    const length = bodyBytes > 0 ? `Content-Length: ${bodyBytes}\r\n` : "";
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${length}\r\n`);
    socket.write(patternStart(bodyBytes));
    socket.on("error", (error) => settle(error.message));
    socket.on("end", () => settle("the connection was closed"));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const bodyAt = received.indexOf("\r\n\r\n") + 4;
      if (bodyAt < 4 || received.length < bodyAt + answerBytes) return;
      const text = received.toString("latin1", 0, bodyAt);
      const right = received.subarray(bodyAt).equals(patternStart(answerBytes));
      settle(text.startsWith("HTTP/1.1 200 ") && right ? received.length : text);
    });
  });
}
