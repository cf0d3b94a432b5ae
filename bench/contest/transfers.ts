// Scenarios of big bodies: so many bytes down or up, over one connection or several at once, every byte checked where it
// arrives.

import type { Socket } from "node:net";
import { connect } from "node:net";
import type { Standing } from "../contestants/contestant.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { PatternCheck } from "../targets/pattern.ts";
import { writePattern } from "../targets/write-pattern.ts";
import { costOf } from "./cost.ts";
import type { Scenario } from "./division.ts";

/** One of them. */
export interface TransferOptions {
  readonly name: string;
  readonly direction: "download" | "upload";
  /** Over all connections together. */
  readonly bytes: number;
  readonly parallel: number;
  readonly rounds: number;
  readonly warmBytes: number;
}

/** How long one transfer may take, in milliseconds. */
const patienceMs = 120_000;
/** The buffer that a socket reads into. */
const readBytes = 262_144;

/** Makes it. */
export function transfer(options: TransferOptions): Scenario {
  const { name, rounds, warmBytes } = options;
  const run = async ({ port, host }: Standing, bytes: number): Promise<number> => {
    const each = Math.floor(bytes / options.parallel);
    const startedAtMs = performance.now();
    const move = options.direction === "download" ? download : upload;
    await Promise.all(Array.from({ length: options.parallel }, () => move({ port, host, bytes: each })));
    return (performance.now() - startedAtMs) / 1000;
  };
  return {
    name,
    rounds,
    warm: async (standing) => void (await run(standing, warmBytes)),
    measure: async (standing) => {
      const { result: seconds, cost } = await costOf(standing, () => run(standing, options.bytes));
      const gib = options.bytes / 2 ** 30;
      return {
        megabytesPerSecond: options.bytes / 1e6 / seconds,
        ...(cost && { cpuSecondsPerGib: cost.cpuMs / 1000 / gib, peakMib: cost.peakMib }),
      };
    },
  };
}

/** One body. */
export interface Body {
  readonly port: number;
  readonly host: string;
  readonly bytes: number;
}

/** Fetches so much of the pattern. Rejects with E_GATE if other bytes come. */
export function download({ port, host, bytes }: Body): Promise<void> {
  const check = new PatternCheck();
  let head = "";
  return conversation(port, {
    begin: (socket) => void socket.write(`GET /bytes/${bytes} HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
    take: (chunk) => {
      let body = chunk;
      if (!head.includes("\r\n\r\n")) {
        const before = head.length;
        head += chunk.toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return "more";
        head = head.slice(0, end + 4);
        if (!head.startsWith("HTTP/1.1 200 ")) return head;
        body = chunk.subarray(end + 4 - before);
      }
      check.add(body);
      if (!check.right) return `other bytes than the target's before byte ${check.bytes}`;
      return check.bytes < bytes ? "more" : "done";
    },
  });
}

/** Sends so much of the pattern; the target checks it. Rejects with E_GATE if it does not answer 200. */
export function upload({ port, host, bytes }: Body): Promise<void> {
  let isWritten = false;
  let answer = "";
  return conversation(port, {
    begin: (socket) => {
      socket.write(`POST /check HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${bytes}\r\n\r\n`);
      writePattern(socket, bytes, () => (isWritten = true));
    },
    take: (chunk) => {
      answer += chunk.toString("latin1");
      if (!answer.includes("\r\n\r\n")) return "more";
      return answer.startsWith("HTTP/1.1 200 ") && isWritten ? "done" : answer;
    },
  });
}

/** What is said on a connection. `take` answers "more", "done", or what is wrong. */
interface Talk {
  readonly begin: (socket: Socket) => void;
  readonly take: (chunk: Buffer) => string;
}

function conversation(port: number, { begin, take }: Talk): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (trouble: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      if (trouble === undefined) resolve();
      else reject(new CaissonError("E_GATE", `a transfer went wrong: ${trouble}`));
    };
    const timer = setTimeout(() => settle(`not done in ${patienceMs} ms`), patienceMs);
    const callback = (length: number, buffer: Uint8Array): boolean => {
      const said = take(Buffer.from(buffer.buffer, buffer.byteOffset, length));
      if (said !== "more") settle(said === "done" ? undefined : said);
      return true;
    };
    const onread = { buffer: Buffer.allocUnsafe(readBytes), callback };
    const socket = connect({ port, host: "127.0.0.1", noDelay: true, onread });
    socket.once("connect", () => begin(socket));
    socket.once("error", (error) => settle(error.message));
    socket.once("end", () => settle("the connection was closed"));
  });
}
