// Profiles the server under the churn scenario with one tool: clinic's doctor, heapprofiler or flame, or what Node has
// itself (heap-prof, cpu-prof). Installs clinic on first use, beside this file. Says where the output is, and fails if
// the load failed or the output holds nothing. When: a leak or a slow server is suspected; scripts/README.md says which tool.
// Example: node scripts/clinic/profile.mjs flame; node scripts/clinic/profile.mjs all --quick (as CI does)

import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { dist, install, isStale, requireNode, root, run } from "../prepare.mjs";
import { profileWithClinic } from "./with-clinic.mjs";
import { profileWithNode } from "./with-node.mjs";

const clinicTool = (name) => ({ profile: profileWithClinic, output: new RegExp(`^${name}\\.clinic-${name}\\.html$`) });

/** How each tool is run, and which file it leaves. */
const tools = {
  doctor: clinicTool("doctor"),
  heapprofiler: clinicTool("heapprofiler"),
  flame: clinicTool("flame"),
  "heap-prof": { profile: profileWithNode, output: /\.heapprofile$/ },
  "cpu-prof": { profile: profileWithNode, output: /\.cpuprofile$/ },
};

const churn = fileURLToPath(new URL("./churn.mjs", import.meta.url));
const listening = ["--listen", "127.0.0.1:0", "--admin", "off"];

/** Our own code must be in what was recorded; doctor records no code. */
const ownCode = /dist[\\/]+src[\\/]/;
/** An empty report of clinic's is a page around nothing; this is less than any page of it. */
const leastBytes = 10_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    seconds: { type: "string" },
    out: { type: "string", default: join(root, ".clinic") },
  },
});
const wanted = positionals[0] === "all" ? Object.keys(tools) : positionals;
if (wanted.length === 0 || wanted.some((name) => !(name in tools))) {
  console.error(
    `Usage: node scripts/clinic/profile.mjs ${Object.keys(tools).join("|")}|all [--quick] [--seconds N] [--out DIR]`,
  );
  if (wanted.includes("bubbleprof")) console.error("bubbleprof is not offered: it hangs with this server.");
  process.exit(2);
}
const seconds = Number(values.seconds ?? (values.quick ? 4 : 20));
if (!(seconds > 0)) {
  console.error(`--seconds takes a number above 0, not ${JSON.stringify(values.seconds)}.`);
  process.exit(2);
}

requireNode();
install();
if (isStale()) run(process.execPath, [join(root, "scripts", "build.mjs")]);

const out = resolve(values.out);
mkdirSync(out, { recursive: true });
for (const name of wanted) {
  const { profile, output } = tools[name];
  // Old outputs would be taken for new ones, and an old trace log in the working directory breaks doctor.
  const folder = join(out, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const scratch = mkdtempSync(join(tmpdir(), "caisson-profile-"));
  try {
    console.error(`${name}: churn for ${seconds} s ...`);
    await profile(name, { folder, scratch, seconds, ...programs(scratch, seconds) });
    console.log(`${name}: ${relative(process.cwd(), check(name, { folder, output }))}`);
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The server and the load. The private listener is off because clinic takes the first port that opens for the server's. */
function programs(scratch, durationSeconds) {
  const result = join(scratch, "churned");
  return {
    server: [join(dist, "src", "cli", "main.js"), "serve", "--json", "--log-level", "error", ...listening],
    churn: [churn, "--seconds", String(durationSeconds), "--result", result],
    result,
  };
}

/** The file that the tool left. Throws if there is none, or nothing in it. */
function check(name, { folder, output }) {
  const found = readdirSync(folder).find((file) => output.test(file));
  if (found === undefined) throw new Error(`left no file like ${String(output)} in ${folder}`);
  const file = join(folder, found);
  if (statSync(file).size < leastBytes) throw new Error(`${file} is empty`);
  if (name !== "doctor" && !ownCode.test(readFileSync(file, "utf8"))) {
    throw new Error(`${file} shows none of the server's own code`);
  }
  return file;
}
