// What the process says: in order, whole lines, one write per turn however many there are, and nothing lost at its end.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { promisify } from "node:util";
import type { OutputStream } from "../../src/cli/output.ts";
import { Output } from "../../src/cli/output.ts";

/** Both streams write into one list, as they do on a terminal. */
class Stream extends EventEmitter implements OutputStream {
  readonly #name: string;
  readonly #writes: string[];

  constructor(name: string, writes: string[]) {
    super();
    this.#name = name;
    this.#writes = writes;
  }

  write(text: string): boolean {
    this.#writes.push(`${this.#name} ${text}`);
    return true;
  }
}

function outputInto(writes: string[]): Output {
  return new Output({ stdout: new Stream("out", writes), stderr: new Stream("err", writes), env: {} });
}

void test("the lines of one turn leave by one write, before what is said on stderr", async () => {
  const writes: string[] = [];
  const output = outputInto(writes);
  output.line("one");
  output.event({ event: "two" });
  assert.deepEqual(writes, []);
  output.note("three");
  output.line("four");
  output.raw("five");
  output.line("six");
  assert.deepEqual(writes.splice(0), ['out one\n{"event":"two"}\n', "err three\n", "out four\n", "out five"]);
  await new Promise(setImmediate);
  assert.deepEqual(writes.splice(0), ["out six\n"]);
  output.flush();
  await new Promise(setImmediate);
  assert.deepEqual(writes, []);
});

void test("what waits is bounded", () => {
  const writes: string[] = [];
  const output = outputInto(writes);
  const line = "x".repeat(1_000);
  for (let lines = 0; lines < 1_000; lines += 1) output.line(line);
  assert.ok(writes.length >= 10, `${writes.length} writes`);
  assert.ok(Math.max(...writes.map((text) => text.length)) < 70_000);
  output.flush();
  assert.equal(writes.join("").split(line).length - 1, 1_000);
});

void test("a process that ends in the middle of a turn has said everything", async () => {
  const main = new URL("../../src/cli/main.js", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [main, "config", "schema"]);
  assert.equal(typeof JSON.parse(stdout), "object");
  const module = JSON.stringify(new URL("../../src/cli/output.js", import.meta.url).href);
  const script = `const { Output } = await import(${module});
    const output = new Output({ stdout: process.stdout, stderr: process.stderr, env: {} });
    process.once("exit", () => output.flush());
    output.line("last words");
    process.exit(3);`;
  const child = execFile(process.execPath, ["--input-type=module", "-e", script]);
  let said = "";
  child.stdout?.on("data", (text: string) => (said += text));
  assert.deepEqual(await once(child, "close"), [3, null]);
  assert.equal(said, "last words\n");
});
