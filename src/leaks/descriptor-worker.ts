// The worker thread of descriptors.ts: on every message it reads /proc of its own process once and posts what it found.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { countDescriptors, countTcpStates, descriptorLimitOf } from "./proc-text.ts";

/** What one sample found. */
export interface DescriptorSample {
  /** Open descriptors. */
  readonly open: number;
  /** The soft limit; null if there is none. */
  readonly limit: number | null;
  /** Open descriptors by type: socket, pipe, file, device, eventpoll and whatever else the system names. */
  readonly types: Readonly<Record<string, number>>;
  /** The process's own TCP sockets by state: `established`, `close_wait` and so on. */
  readonly tcp: Readonly<Record<string, number>>;
  /** What the sample cost the worker, in milliseconds. */
  readonly tookMs: number;
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread's port has no origin
parentPort?.on("message", () => parentPort?.postMessage(sample()));

function sample(): DescriptorSample {
  const startedAtMs = performance.now();
  const { types, socketInodes, open } = countDescriptors(links());
  const tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(readText);
  const tcp = countTcpStates(tables, socketInodes);
  const limit = descriptorLimitOf(readText("/proc/self/limits"));
  return { open, limit, types, tcp, tookMs: performance.now() - startedAtMs };
}

function links(): string[] {
  const found: string[] = [];
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      found.push(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      // It was closed since the folder was listed, as the one that listed it always is.
    }
  }
  return found;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // Absent without IPv6, or hidden by the container: then there is nothing to count.
    return "";
  }
}
