// What the other scripts share: running a command, installing what is missing, and telling whether dist/ is stale.
// Plain Node without dependencies, because it runs before anything is installed. It never touches the network by itself.

import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = fileURLToPath(new URL("../", import.meta.url));
/** Where the compiler writes. */
export const dist = join(root, "dist");
/** Written last by a build that succeeded. */
export const buildStamp = join(dist, ".built");

/** What a build is made of. */
const sources = [
  "src",
  "bench",
  "test",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "scripts/build.mjs",
  "scripts/build-page.mjs",
];
const oldest = { major: 20, minor: 19 };

/** Ends the script with a sentence if this Node is too old. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return;
  fail(`Caisson needs Node ${oldest.major}.${oldest.minor} or newer; this is ${process.version}.`);
}

/** Runs a command in the repository with inherited output. Ends the script with its exit code if it fails. */
export function run(command, args) {
  const status = tryRun(command, args);
  if (status !== 0) process.exit(status);
}

/** Runs a command in the repository with inherited output and returns its exit code, 128 + n after signal n. */
export function tryRun(command, args) {
  // On Windows npm is a .cmd file, which only a shell starts; none of the arguments here needs quoting.
  const shell = process.platform === "win32" && command === "npm";
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", shell });
  if (result.error) fail(`cannot run ${command}: ${result.error.message}`);
  return result.status ?? 128 + (result.signal === "SIGINT" ? 2 : 15);
}

/** Runs `npm ci` if node_modules is absent or older than package-lock.json. */
export function install() {
  const installed = modifiedMs(join(root, "node_modules", ".package-lock.json"));
  if (installed >= modifiedMs(join(root, "package-lock.json"))) return;
  console.error("Installing dependencies (npm ci) ...");
  run("npm", ["ci", "--include=dev", "--no-audit", "--no-fund"]);
}

/** Whether a source is newer than the last build that succeeded. */
export function isStale() {
  const builtMs = modifiedMs(buildStamp);
  return builtMs === 0 || sources.some((source) => newestMs(join(root, source)) > builtMs);
}

/** Every file below a directory, with its full path. */
export function walk(directory) {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function newestMs(path) {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status) return 0;
  // A directory's own time moves when a file in it is added, removed or renamed.
  const below = status.isDirectory() ? readdirSync(path).map((name) => newestMs(join(path, name))) : [];
  return Math.max(status.mtimeMs, ...below);
}

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
