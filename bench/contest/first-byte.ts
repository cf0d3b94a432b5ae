// The scenario of first bytes: one connection after the other, each new, from its opening to the first byte of the answer.

import { connect } from "node:net";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { spreadOf } from "../harness/statistics.ts";
import type { Scenario } from "./division.ts";

/** The scenario. */
export function firstByte(options: {
  readonly path: string;
  readonly tries: number;
  readonly rounds: number;
}): Scenario {
  const { path, tries, rounds } = options;
  return {
    name: "a new connection each",
    rounds,
    measure: async ({ port, host }) => {
      const times: number[] = [];
      for (let n = 0; n < tries; n += 1) times.push(await once({ port, host, path }));
      return { firstByteMs: spreadOf(times).median };
    },
  };
}

const patienceMs = 10_000;

function once({
  port,
  host,
  path,
}: {
  readonly port: number;
  readonly host: string;
  readonly path: string;
}): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAtMs = performance.now();
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const settle = (trouble: string | undefined): void => {
      const tookMs = performance.now() - startedAtMs;
      clearTimeout(timer);
      socket.destroy();
      if (trouble === undefined) resolve(tookMs);
      else reject(new CaissonError("E_GATE", `no first byte: ${trouble}`));
    };
    const timer = setTimeout(() => settle("nothing in time"), patienceMs);
    socket.once("data", (chunk: Buffer) => {
      const text = chunk.toString("latin1", 0, 100);
      settle(text.startsWith("HTTP/1.1 200 ") ? undefined : text);
    });
    socket.once("error", (error) => settle(error.message));
    socket.once("end", () => settle("the connection was closed"));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  });
}
