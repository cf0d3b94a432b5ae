import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { writeNewSecret } from "../../src/tokens/secret-file.ts";

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "caisson-secret-file-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test("the first writer makes the file, and nobody changes it", async (t) => {
  const file = join(await folderFor(t), "new", "secret");
  const made = await Promise.all(["a", "b", "c"].map((secret) => writeNewSecret(file, secret)));
  assert.equal(made.filter(Boolean).length, 1);
  assert.equal(await readFile(file, "utf8"), `${["a", "b", "c"][made.indexOf(true)]}\n`);
  assert.equal(await writeNewSecret(file, "d"), false);
});

const child = `
  import { writeNewSecret } from ${JSON.stringify(new URL("../../src/tokens/secret-file.js", import.meta.url))};
  await writeNewSecret(process.argv[1], "x".repeat(4096)).catch((error) => process.stdout.write(error.code));
`;
const limits = process.platform === "win32" ? { skip: "the size limit of files is set by a POSIX shell" } : {};

test("a write that the system stops leaves nothing", limits, async (t) => {
  const folder = await folderFor(t);
  // No file may have a single byte, and the signal of that is ignored: as on a full disk.
  const script = 'ulimit -f 0; trap "" XFSZ; exec "$0" --input-type=module -e "$1" "$2"';
  const shell = spawn("/bin/sh", ["-c", script, process.execPath, child, join(folder, "secret")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = await Promise.all([text(shell.stdout), once(shell, "exit")]);
  assert.equal(output, "EFBIG");
  assert.deepEqual(await readdir(folder), []);
});
