// Sends 10 GiB down and 10 GiB up through real `caisson serve` and `caisson http` processes, compares every byte by its
// SHA-256, and checks that neither process grows by more than 64 MiB. When: before a release, after changes of the data
// path. Linux only (it reads /proc). Example: npm run build && node dist/scripts/transfer-10gib.js --gib 10

import { parseArgs } from "node:util";
import { HttpTarget } from "../test/support/http-target.ts";
import { residentBytes } from "../test/support/open-files.ts";
import { ProcessPair } from "../test/support/processes.ts";
import type { Digest } from "../test/support/seeded-bytes.ts";
import { digestOf, seededDigest, seededStream } from "../test/support/seeded-bytes.ts";
import { bytesPath, seededTarget } from "../test/support/seeded-target.ts";
import { visit, visitText } from "../test/support/visitor.ts";

const allowedMib = 64;
const mib = 1024 ** 2;

const { values } = parseArgs({ options: { gib: { type: "string", default: "10" } } });
const length = Number(values.gib) * 1024 ** 3;
if (!Number.isSafeInteger(length) || length < 1) {
  console.error(`--gib takes a number above 0, not ${JSON.stringify(values.gib)}.`);
  process.exit(2);
}

await using target = await HttpTarget.start(seededTarget);
await using pair = await ProcessPair.start(target.port);
await visitText(pair.port, "/warm");
const sides = { server: pair.server.pid, client: pair.client.pid };
const idle = { server: residentBytes(sides.server).now, client: residentBytes(sides.client).now };

/** Times a transfer, compares it, and reports. */
async function transfer(direction: string, run: () => Promise<unknown>): Promise<void> {
  const startedMs = performance.now();
  const got = await run();
  const seconds = (performance.now() - startedMs) / 1000;
  const wanted: Digest = await seededDigest(direction, length);
  const same = JSON.stringify(got) === JSON.stringify(wanted);
  if (!same) process.exitCode = 1;
  console.log(`${direction}: ${same ? "identical" : "DIFFERENT"}, ${(length / mib / seconds).toFixed(0)} MiB/s`);
}

await transfer("down", async () => digestOf(await visit(pair.port, bytesPath("down", length))));
await transfer("up", async () => {
  const headers = { "content-length": String(length) };
  const { body } = await visitText(pair.port, "/", { method: "POST", headers, body: seededStream("up", length) });
  return JSON.parse(body);
});

for (const side of ["server", "client"] as const) {
  const grownMib = (residentBytes(sides[side]).peak - idle[side]) / mib;
  if (grownMib > allowedMib) process.exitCode = 1;
  console.log(`${side}: peak ${grownMib.toFixed(1)} MiB above idle (${allowedMib} allowed)`);
}
