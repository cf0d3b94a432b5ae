// From a fresh clone to the demo in a browser: installs and builds what is missing or stale, then runs `caisson demo`.
// When: the first look at Caisson. Example: npm start -- --listen 127.0.0.1:9000

import { spawn } from "node:child_process";
import { join } from "node:path";
import { dist, install, isStale, requireNode, root, run } from "./prepare.mjs";

requireNode();
install();
if (isStale()) {
  console.error("Building ...");
  run(process.execPath, [join(root, "scripts", "build.mjs")]);
}

const main = join(dist, "src", "cli", "main.js");
const demo = spawn(process.execPath, [main, "demo", ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });

// A terminal sends Ctrl-C to the whole process group, so the demo has it already; a supervisor signals only this process.
process.on("SIGINT", () => {
  if (!process.stdin.isTTY) demo.kill("SIGINT");
});
process.on("SIGTERM", () => demo.kill("SIGTERM"));

// A supervisor that signals npm ends npm and its shell, but the shell passes nothing on: without a parent, the demo ends.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(watch);
  demo.kill("SIGTERM");
}, 250);

demo.on("exit", (code, signal) => {
  clearInterval(watch);
  process.exitCode = code ?? (signal === "SIGINT" ? 130 : 143);
});
