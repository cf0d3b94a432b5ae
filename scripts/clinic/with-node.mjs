// The plain-Node twins of clinic's heapprofiler and flame: the same server under the same load with --heap-prof or
// --cpu-prof. The files open in Chromium's DevTools and in VS Code. Used by profile.mjs.

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { endTogether } from "./end-together.mjs";

/** Node samples one allocation in 512 KiB, and only what is alive at the end counts: too few to show a server of 10 MB. */
const more = { "heap-prof": ["--heap-prof-interval=16384"], "cpu-prof": [] };

/** Profiles with `node --TOOL`; resolves when the server has ended and written its profile. Rejects if anything failed. */
export async function profileWithNode(tool, { folder, server, churn, result }) {
  const flags = [`--${tool}`, `--${tool}-dir=${folder}`, ...more[tool]];
  const child = spawn(process.execPath, [...flags, ...server], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = endOf(child);
  try {
    const port = await portOf(child);
    const load = spawn(process.execPath, [...churn, "--port", port], { stdio: ["ignore", "ignore", "inherit"] });
    const code = await endOf(load);
    if (code !== 0 || !existsSync(result)) throw new Error("the load failed; what it said is above");
  } finally {
    // The profile is written at a normal exit, which the server's drain on SIGINT leads to.
    child.kill("SIGINT");
  }
  const code = await ended;
  if (code !== 0) throw new Error(`the server ended with ${code}`);
  console.error(readFileSync(result, "utf8").trim());
}

/** The port in the event that the server prints when it listens. */
async function portOf(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    if (event.event === "listening") return new URL(event.url).port;
  }
  throw new Error("the server did not listen");
}

/** The exit code of a child, which is ended if this process is told to end. */
function endOf(child) {
  const forget = endTogether(() => child.kill("SIGKILL"));
  return new Promise((settle, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => settle(code ?? signal));
  }).finally(forget);
}
