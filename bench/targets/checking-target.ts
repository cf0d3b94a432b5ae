// The target of bodies, transfers and messages: a Node process of its own over raw sockets, which checks every byte that it
// is sent. It does no more per chunk than compare or write it, so it moves several GB a second.

import { fileURLToPath } from "node:url";
import { AsyncResources } from "../harness/async-resources.ts";
import { Program } from "../harness/program.ts";
import type { Target } from "./target.ts";

const worker = fileURLToPath(new URL("checking-target-worker.js", import.meta.url));

/** Starts it. Rejects with E_GATE. */
export async function startCheckingTarget(): Promise<Target> {
  const resources = new AsyncResources();
  try {
    const target = resources.own(new Program({ title: "the target", file: process.execPath, args: [worker] }));
    const port = await target.line((line) => {
      const found = /^listening on (\d+)$/u.exec(line)?.[1];
      return found === undefined ? undefined : Number(found);
    });
    return { port, [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose]() };
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
}
