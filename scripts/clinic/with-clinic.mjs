// Runs the server below clinic and the load as soon as it listens; clinic ends the server and writes one HTML page.
// Installs clinic if it is not there. It reports a failed load, which clinic does not. Used by profile.mjs.

import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../prepare.mjs";
import { endTogether } from "./end-together.mjs";

const here = fileURLToPath(new URL("./", import.meta.url));
/** Beyond the load itself: start, and the reading of what was recorded, which is slow on a busy machine. */
const graceMs = 240_000;

/** Profiles with `clinic TOOL`; resolves when the page is written. Rejects if anything failed. */
export async function profileWithClinic(tool, { folder, scratch, seconds, server, churn, result }) {
  installClinic();
  const load = [process.execPath, ...churn].map((part) => JSON.stringify(part)).join(" ");
  const options = ["--open=false", "--dest", folder, "--name", tool, "--on-port", load];
  const args = [join(here, "node_modules", "clinic", "bin.js"), tool, ...options, "--", process.execPath, ...server];
  const clinic = spawn(process.execPath, args, {
    cwd: scratch,
    env: { ...process.env, NO_INSIGHT: "1", NO_UPDATE_NOTIFIER: "1" },
    stdio: ["ignore", "ignore", "inherit"],
    // A group of its own, so that a tool that hangs is ended together with its server.
    detached: process.platform !== "win32",
  });
  const code = await endOf(clinic, seconds * 1_000 + graceMs);
  if (code !== 0) throw new Error(`clinic ${tool} ended with ${code}`);
  if (!existsSync(result)) throw new Error("the load failed; what it said is above");
  console.error(readFileSync(result, "utf8").trim());
}

function installClinic() {
  const installed = statSync(join(here, "node_modules", ".package-lock.json"), { throwIfNoEntry: false });
  if (installed && installed.mtimeMs >= statSync(join(here, "package-lock.json")).mtimeMs) return;
  console.error("Installing clinic (npm ci, 154 MB, once) ...");
  run("npm", ["ci", "--prefix", here, "--no-audit", "--no-fund", "--loglevel=error"]);
}

/** The exit code of a child; ends it and its group if it takes longer than `timeoutMs`, or if this process is told to end. */
function endOf(child, timeoutMs) {
  const end = () => {
    if (process.platform === "win32") child.kill("SIGKILL");
    else if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  return new Promise((settle, reject) => {
    const forget = endTogether(end);
    const timer = setTimeout(() => {
      forget();
      end();
      reject(new Error(`took longer than ${timeoutMs / 1_000} s and was ended`));
    }, timeoutMs);
    child.once("error", (error) => {
      forget();
      clearTimeout(timer);
      reject(error);
    });
    child.once("exit", (code, signal) => {
      forget();
      clearTimeout(timer);
      settle(code ?? signal);
    });
  });
}
