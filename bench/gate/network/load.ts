// Requests in bulk: autocannon, with the Host rotating over all tunnels and every body compared. Loaded only when used.

import type { Result } from "autocannon";
import { fixedBody, fixedPath } from "./bodies.ts";
import { authority } from "./authority.ts";
import { WrongAnswer } from "./wrong-answer.ts";

/** What is sent. */
export interface Load {
  /** A name or an address; default 127.0.0.1. */
  readonly address?: string;
  readonly port: number;
  /** They take turns, request by request. */
  readonly hosts: readonly string[];
  /** Exactly so many requests. */
  readonly amount: number;
  readonly connections: number;
}

const sampleMs = 20;

/** Sends the requests; resolves with how many were answered as they should. Rejects if any was not. */
export async function sendLoad({ address = "127.0.0.1", port, hosts, amount, connections }: Load): Promise<number> {
  const { default: autocannon } = await import("autocannon");
  const result: Result = await autocannon({
    url: `http://${authority({ address, port })}`,
    connections: Math.min(connections, amount),
    amount,
    timeout: 30,
    // It notices that it is done when it takes a sample.
    sampleInt: sampleMs,
    verifyBody: (body) => body === fixedBody,
    requests: hosts.map((host) => ({ method: "GET", path: fixedPath, headers: { host } })),
  });
  const { errors, timeouts, mismatches, non2xx } = result;
  if (errors + timeouts + mismatches + non2xx > 0) {
    // Answers with another status have another body too.
    const Failure = mismatches > non2xx ? WrongAnswer : Error;
    throw new Failure(
      `of ${amount} requests ${errors} failed, ${timeouts} were not answered in time, ${non2xx} got another status than 200 and ${mismatches} another body`,
    );
  }
  return result["2xx"];
}
