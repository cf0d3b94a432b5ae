// `caisson diag` on a real server that has seen 1,000 secrets: everything that a bug report needs is in the archive, and
// none of them.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { AdminReader } from "../support/admin-reader.ts";
import { canaries } from "../support/canaries.ts";
import { HttpTarget } from "../support/http-target.ts";
import { startClient } from "../support/processes.ts";
import { runCaisson, startCaisson } from "../support/run.ts";
import { until } from "../support/until.ts";
import { visitText } from "../support/visitor.ts";

const unix = { skip: process.platform === "win32" ? "needs tar" : false, timeout: 120_000 };
const everyPart = [
  "diag.json",
  "live.txt",
  "log.jsonl",
  "metrics.txt",
  "process.json",
  "ready.txt",
  "resources.json",
  "snapshots.json",
  "tunnels.json",
];

interface Planted {
  readonly secrets: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly clientToken: string;
  readonly requests: readonly { readonly path: string; readonly headers: Record<string, string> }[];
}

/** 1,000 secrets: in fields and queries of requests, in the environment, and as the client's token. */
function plant(): Planted {
  const secrets = canaries(1_000).map(({ secret }) => secret);
  const env: Record<string, string> = {};
  const requests: { path: string; headers: Record<string, string> }[] = [];
  for (const [at, secret] of secrets.entries()) {
    switch (at % 8) {
      case 0:
        env[at % 16 === 0 ? `NODE_SECRET_${at}` : `OTEL_EXPORTER_HEADERS_${at}`] = secret;
        break;
      case 1:
        requests.push({ path: "/", headers: { cookie: `session=${secret}; theme=dark` } });
        break;
      case 2:
        requests.push({ path: `/in?access_token=${encodeURIComponent(secret)}&x=1`, headers: {} });
        break;
      case 3:
        requests.push({ path: "/", headers: { "x-api-key": secret, "x-custom": secret } });
        break;
      case 4:
        requests.push({ path: "/set-cookie", headers: { "x-want": secret } });
        break;
      case 5:
        // Broken requests are told of as well, by their reason only.
        requests.push({
          path: "/",
          headers: { "transfer-encoding": "chunked", "content-length": "1", "x-broken": secret },
        });
        break;
      case 6:
        requests.push({ path: "/", headers: { "user-agent": secret, referer: `https://x.example/?code=${secret}` } });
        break;
      default:
        requests.push({ path: "/", headers: { authorization: `Bearer ${secret}` } });
    }
  }
  return { secrets, env, requests, clientToken: `csn_${"canary".repeat(7)}0` };
}

test("the archive of a real server is complete, and holds none of 1,000 planted secrets", unix, async () => {
  const folder = mkdtempSync(join(tmpdir(), "caisson-diag-"));
  const planted = plant();
  const adminTokenFile = join(folder, "admin-token");
  const clientTokenFile = join(folder, "client-token");
  writeFileSync(clientTokenFile, planted.clientToken, { mode: 0o600 });
  await using target = await HttpTarget.start((request, response) => {
    request.resume();
    const wanted = request.headers["x-want"];
    if (typeof wanted === "string") response.setHeader("Set-Cookie", `id=${encodeURIComponent(wanted)}; HttpOnly`);
    response.end("here");
  });
  const flags = ["--listen", "127.0.0.1:0", "--catch-all", "demo", "--log-level", "debug", "--max-aborts", "100000"];
  await using server = startCaisson(
    ["serve", "--json", ...flags, "--admin", "127.0.0.1:0", "--admin-token-file", adminTokenFile],
    { env: { ...planted.env, SOME_PASSWORD: "hunter2hunter2" } },
  );
  const { url, admin } = await server.event("listening");
  const port = Number(new URL(String(url)).port);
  await using client = startClient(target.port, port, { http: ["--token-file", clientTokenFile] });
  await client.event("tunnel");
  for (let at = 0; at < planted.requests.length; at += 25) {
    await Promise.all(
      planted.requests
        .slice(at, at + 25)
        .map(({ path, headers }) => visitText(port, path, { headers }).catch(() => undefined)),
    );
  }
  const adminToken = readFileSync(adminTokenFile, "utf8").trim();
  const reader = new AdminReader(String(admin), adminToken);
  const seen = async (): Promise<boolean> =>
    /"event":"request"/u.test((await reader.ask("/debug/logs")).body.toString("utf8"));
  await until(seen, { what: "the log tells of requests" });

  const file = join(folder, "report.tar.gz");
  const args = ["diag", "--json", "--admin", new URL(String(admin)).host, "--admin-token-file", adminTokenFile];
  const { code, stdout, stderr } = await runCaisson([...args, "--output", file], { env: planted.env });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /"event":"diag"/u);
  assert.equal(statSync(file).mode & 0o777, 0o600);

  const untar = spawnSync("tar", ["-xzf", file], { cwd: folder, encoding: "utf8" });
  assert.equal(untar.stderr, "");
  const top = readdirSync(folder).find((name) => name.startsWith("caisson-diag-")) ?? "";
  assert.deepEqual(readdirSync(join(folder, top)).toSorted(), everyPart);
  const part = (name: string): string => readFileSync(join(folder, top, name), "utf8");
  assert.match(part("live.txt"), /^ok/u);
  assert.match(part("log.jsonl"), /"path":"\/in\?…"/u);
  assert.match(part("metrics.txt"), /caisson_http_requests_total\{method="GET",code="200",outcome="ok"\} \d{3}/u);
  assert.match(part("tunnels.json"), /"name": "demo"/u);
  assert.match(part("resources.json"), /"collectedUnclosed": 0/u);
  assert.match(part("process.json"), /"NODE_SECRET_0"/u);
  // What comes with later versions is missing with a reason.
  assert.match(part("diag.json"), /"file": "leaks.json",\s+"problem": "501: /u);

  const everything = gunzipSync(readFileSync(file)).toString("utf8");
  for (const secret of [...planted.secrets, planted.clientToken, adminToken, "hunter2hunter2"]) {
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]) {
      assert.ok(!everything.includes(form), `${form} is in the archive`);
      // The log of the process is held to the same.
      assert.ok(!server.stderr.includes(form), `${form} is in the log`);
    }
  }
  const again = await runCaisson([...args, "--output", file]);
  assert.equal(again.code, 3, "an archive is never written over a file");
  rmSync(folder, { recursive: true, force: true });
  assert.deepEqual(await client.stop(), { code: 0, signal: null });
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});
