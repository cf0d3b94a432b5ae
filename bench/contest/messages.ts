// Scenarios of WebSocket messages: every connection sends one, waits until it comes back, checks it, and sends the next.

import { connect } from "node:net";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { acceptKeyOf, messageFrame } from "../targets/message-frames.ts";
import { patternStart } from "../targets/pattern.ts";
import { costOf } from "./cost.ts";
import type { Scenario } from "./division.ts";

/** One of them. */
export interface MessagesOptions {
  readonly name: string;
  /** Of one message's payload; below 64 KiB. */
  readonly bytes: number;
  readonly connections: number;
  readonly rounds: number;
  readonly ms: number;
}

const key = "Y2Fpc3NvbiBtZWFzdXJlcw==";

/** Makes it. */
export function messages(options: MessagesOptions): Scenario {
  const { name, rounds } = options;
  return {
    name,
    rounds,
    warm: async (standing) => void (await echo({ ...options, port: standing.port, host: standing.host })),
    measure: async (standing) => {
      const { port, host } = standing;
      const { result, cost } = await costOf(standing, () => echo({ ...options, port, host }));
      return {
        messagesPerSecond: result.messages / result.seconds,
        ...(cost && { cpuUsPerMessage: (cost.cpuMs * 1000) / result.messages }),
      };
    },
  };
}

interface Echo extends Pick<MessagesOptions, "bytes" | "connections" | "ms"> {
  readonly port: number;
  readonly host: string;
}

/** Resolves with how many came back. Rejects with E_GATE if one was another than was sent. */
async function echo({ bytes, connections, ms, port, host }: Echo): Promise<{ messages: number; seconds: number }> {
  const frames = {
    sent: messageFrame(patternStart(bytes), "masked"),
    expected: messageFrame(patternStart(bytes), "plain"),
    path: `/echo/${bytes}`,
  };
  const startedAtMs = performance.now();
  const until = startedAtMs + ms;
  const counts = await Promise.all(Array.from({ length: connections }, () => echoOn({ port, host, until, ...frames })));
  return { messages: counts.reduce((sum, count) => sum + count, 0), seconds: (performance.now() - startedAtMs) / 1000 };
}

/** One connection. */
function echoOn(talk: {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly until: number;
  readonly sent: Buffer;
  readonly expected: Buffer;
}): Promise<number> {
  const { port, host, path, until, sent, expected } = talk;
  return new Promise((resolve, reject) => {
    let count = 0;
    let at = 0;
    let head: string | undefined = "";
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const settle = (trouble: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      if (trouble === undefined) resolve(count);
      else reject(new CaissonError("E_GATE", `messages went wrong: ${trouble}`));
    };
    const timer = setTimeout(() => settle("an answer took too long"), until - performance.now() + 20_000);
    const takeHead = (chunk: Buffer): void => {
      head += chunk.toString("latin1");
      if (!head?.includes("\r\n\r\n")) return;
      if (!head.startsWith("HTTP/1.1 101 ") || !head.includes(acceptKeyOf(key))) return settle(head);
      head = undefined;
      socket.write(sent);
    };
    const takeMessage = (chunk: Buffer): void => {
      const length = Math.min(chunk.length, expected.length - at);
      const same = expected.compare(chunk, 0, length, at, at + length) === 0 && length === chunk.length;
      if (!same) return settle("another message came back");
      at += length;
      if (at < expected.length) return;
      at = 0;
      count += 1;
      if (performance.now() < until) socket.write(sent);
      else settle(undefined);
    };
    socket.on("data", (chunk: Buffer) => (head === undefined ? takeMessage(chunk) : takeHead(chunk)));
    socket.once("error", (error) => settle(error.message));
    socket.once("end", () => settle("the connection was closed"));
    const upgrade = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13`;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${upgrade}\r\n\r\n`);
  });
}
