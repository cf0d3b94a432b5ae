// `caisson start` and `caisson config` as processes: several services from one file, followed on SIGHUP.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HttpTarget } from "../support/http-target.ts";
import { caissonMain, runCaisson, startCaisson } from "../support/run.ts";
import { until } from "../support/until.ts";
import { visitText } from "../support/visitor.ts";

class Folder {
  readonly path: string = mkdtempSync(join(tmpdir(), "caisson-start-"));
  readonly file: string = join(this.path, "caisson.yaml");

  write(text: string): void {
    writeFileSync(this.file, text);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

test(
  "start publishes what the file says, and follows it on SIGHUP",
  { skip: process.platform === "win32" },
  async () => {
    using folder = new Folder();
    await using a = await HttpTarget.start((_, response) => void response.end("from a"));
    await using b = await HttpTarget.start((_, response) => void response.end("from b"));
    await using server = startCaisson(["serve", "--json", "--listen", "127.0.0.1:0", "--admin", "off"]);
    const url = String((await server.event("listening"))["url"]);
    const port = Number(new URL(url).port);
    const config = (tunnels: string): string => `server: ${url.replace("http", "ws")}\ntunnels:\n${tunnels}`;
    const ask = async (name: string): Promise<string> => {
      const { body, error } = await visitText(port, "/", { headers: { host: `${name}.localhost` } });
      return error ?? body;
    };
    folder.write(config(`  one: { target: ${a.port} }\n  two: { target: ${a.port} }\n`));
    await using client = startCaisson(["start", "--json", "--config", folder.file]);
    await client.event("tunnel", ({ name }) => name === "two");
    assert.deepEqual([await ask("one"), await ask("two")], ["from a", "from a"]);

    folder.write(config(`  one: { target: ${b.port} }\n  three: { target: ${a.port} }\n`));
    client.kill("SIGHUP");
    const { added, removed, changed } = await client.event("reloaded");
    assert.deepEqual([added, removed, changed], [1, 1, 1]);
    await until(async () => (await ask("three")) === "from a", { what: "the new tunnel is reached" });
    assert.deepEqual([await ask("one"), await ask("two")], ["from b", "no_tunnel"]);

    folder.write("tunnels: [");
    client.kill("SIGHUP");
    await client.complaint(/the tunnels stay as they were: .*caisson\.yaml:1:/);
    folder.write(
      config(`  one: { target: ${b.port} }\n  three: { target: ${a.port} }\n`).replace("server", "drain: 3\nserver"),
    );
    client.kill("SIGHUP");
    await client.complaint(/settings beside the tunnels have changed \(drain\): they take effect when/);
    assert.deepEqual([await ask("one"), await ask("three")], ["from b", "from a"]);
    assert.deepEqual(await client.stop(), { code: 0, signal: null });
  },
);

test("start says what is wrong with what it was asked for", async () => {
  using folder = new Folder();
  folder.write("tunnels:\n  one: { target: 1 }\n");
  const unknown = await runCaisson(["start", "two", "--config", folder.file]);
  assert.deepEqual([unknown.code, /no tunnel "two"; it has one/.test(unknown.stderr)], [2, true], unknown.stderr);
  folder.write("server: ws://127.0.0.1:1\n");
  const none = await runCaisson(["start", "--config", folder.file]);
  assert.deepEqual([none.code, /has no tunnels/.test(none.stderr)], [3, true], none.stderr);
  const missing = await runCaisson(["start"]);
  assert.deepEqual([missing.code, /--config/.test(missing.stderr)], [3, true], missing.stderr);
  folder.write("server: ws://127.0.0.1:1\ntunnels:\n  one: { target: 9190 }\n");
  const admin = await runCaisson(["start", "--config", folder.file]);
  assert.deepEqual([admin.code, /private admin listener/.test(admin.stderr)], [2, true], admin.stderr);
});

test("config check tells every problem with its line, and a good file is good", async () => {
  using folder = new Folder();
  folder.write("tunnels:\n  one: { target: 1 }\n  two: { tagret: 2 }\nserve:\n  drain: soon\n");
  const bad = await runCaisson(["config", "check", folder.file]);
  assert.equal(bad.code, 3);
  for (const line of [":3:3: tunnels.two.target: ", ":3:10: tunnels.two.tagret: ", ":5:3: serve.drain: "]) {
    assert.ok(bad.stderr.includes(folder.file + line), `${line}\n${bad.stderr}`);
  }
  assert.match(bad.stderr, /has 3 problems/);
  const json = await runCaisson(["config", "check", "--json", folder.file]);
  assert.deepEqual(
    json.stdout.split("\n").flatMap((line) => (line.includes('"problem"') ? [/"line":(\d)/.exec(line)?.[1]] : [])),
    ["3", "3", "5"],
  );
  folder.write("tunnels:\n  one: { target: 1 }\n");
  const good = await runCaisson(["config", "check"], { env: { CAISSON_CONFIG: folder.file } });
  assert.deepEqual([good.code, good.stdout], [0, `${folder.file}: good, with 1 tunnel\n`]);
  const schema = execFileSync(process.execPath, [caissonMain, "config", "schema"], { encoding: "utf8" });
  assert.equal((JSON.parse(schema) as Record<string, unknown>)["type"], "object");
});
