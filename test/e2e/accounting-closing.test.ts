// The end of an observed role: its private listener goes last, and nothing of it keeps the process alive.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { AdminListener } from "../../src/admin/admin-listener.ts";
import { serve } from "../../src/assemble/serve.ts";
import { connect as connectTunnel } from "../../src/assemble/connect.ts";
import type { Inventory } from "../../src/lifecycle/resource.ts";
import { PrivateAdmin, sampleOf } from "../support/admin-reader.ts";
import { Rig } from "../support/rig.ts";
import { startCaisson } from "../support/run.ts";
import { until } from "../support/until.ts";

const unix = { skip: process.platform === "win32" ? "needs signals" : false };

test("while the server drains its private listener answers; it closes when nothing else is held", async (t) => {
  using admin = new PrivateAdmin();
  const waiting: ServerResponse[] = [];
  await using rig = await Rig.start({
    target: (_, response) => void waiting.push(response),
    serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: admin.options, drainMs: 20_000 },
  });
  const { close } = AdminListener.prototype;
  const heldAtClose: Inventory["held"][] = [];
  t.mock.method(AdminListener.prototype, "close", function record(this: AdminListener) {
    heldAtClose.push(rig.server.inventory().held);
    return close.call(this);
  });
  const reader = admin.reader(rig.server);
  const answer = rig.fetch("/slow");
  await until(() => waiting.length === 1, { what: "a request is at the target" });
  const closed = rig.server.close();
  await until(async () => (await reader.ask("/readyz")).status === 503, { what: "readiness is off" });
  const metrics = await reader.metrics();
  assert.equal(sampleOf(metrics, "caisson_http_requests_in_flight"), 1);
  assert.equal((await reader.resources()).kinds.exchange.live, 1);
  assert.deepEqual(heldAtClose, []);
  waiting[0]?.end("late");
  assert.equal((await answer).body, "late");
  await closed;
  const left = heldAtClose.flatMap((held) => Object.entries(held).filter(([, count]) => count !== 0));
  assert.deepEqual(left, []);
  assert.equal(heldAtClose.length, 1);
  await assert.rejects(reader.ask("/livez"));
});

test("a server that cannot start leaves no private listener, and neither does a client", async () => {
  using admin = new PrivateAdmin();
  await using rig = await Rig.start();
  const before = process.getActiveResourcesInfo().filter((name) => name.includes("Server")).length;
  const listen = `127.0.0.1:${rig.port}`;
  await assert.rejects(serve({ listen, admin: admin.options }), { code: "E_LISTEN" });
  await assert.rejects(serve({ listen: "127.0.0.1:0", admin: { ...admin.options, listen } }), { code: "E_LISTEN" });
  await assert.rejects(serve({ listen: "127.0.0.1:0", admin: "nonsense" }), { code: "E_USAGE" });
  await assert.rejects(connectTunnel({ target: "ftp://x", admin: admin.options }), { code: "E_USAGE" });
  const nobody = { server: "ws://127.0.0.1:1", target: 8000, limits: { firstConnectMs: 10 } };
  await assert.rejects(connectTunnel({ ...nobody, admin: admin.options }), { code: "E_CONNECT" });
  const servers = (): number => process.getActiveResourcesInfo().filter((name) => name.includes("Server")).length;
  await until(() => servers() === before, {
    what: "no listener is left",
    detail: () => process.getActiveResourcesInfo(),
  });
});

test("a program that closed its roles ends by itself", async () => {
  const script = fileURLToPath(new URL("closing-program.js", import.meta.url));
  await using program = startCaisson([], { script });
  const { body, left, signals } = await program.event("closed");
  assert.deepEqual([body, left, signals], ["here", [], 0]);
  assert.deepEqual(await program.exit(), { code: 0, signal: null });
});

test("caisson serve ends on SIGTERM though scrapers are connected and read nothing", unix, async () => {
  const folder = mkdtempSync(join(tmpdir(), "caisson-closing-"));
  const flags = [
    "--admin",
    "127.0.0.1:0",
    "--admin-token-file",
    join(folder, "token"),
    "--snapshots",
    join(folder, "s"),
  ];
  await using server = startCaisson(["serve", "--json", "--listen", "127.0.0.1:0", ...flags]);
  const { admin } = await server.event("listening");
  const { port } = new URL(String(admin));
  for (let n = 0; n < 20; n += 1) {
    const deaf = connect({ port: Number(port), host: "127.0.0.1" }).pause();
    deaf.on("error", () => undefined);
    await once(deaf, "connect");
    deaf.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(n % 5));
  }
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  rmSync(folder, { recursive: true, force: true });
});
