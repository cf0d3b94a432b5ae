// The private listener over real sockets: what it answers to whom, and in which form.

import assert from "node:assert/strict";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AdminClient } from "../../src/admin/admin-client.ts";
import { AdminListener } from "../../src/admin/admin-listener.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { Log } from "../../src/observe/log.ts";
import { Redactor } from "../../src/observe/redactor.ts";
import { errorOf, FakeRole, jsonOf, raw, rawStatus, startAdmin, token } from "./rig.ts";

const guarded = [
  ["GET", "/api/tunnels"],
  ["DELETE", "/api/tunnels/demo"],
  ["GET", "/debug/resources"],
  ["GET", "/debug/process"],
  ["GET", "/debug/logs"],
  ["GET", "/api/log-level"],
  ["PUT", "/api/log-level"],
  ["POST", "/debug/gc"],
  ["GET", "/debug/leaks"],
  ["POST", "/debug/heap/snapshots"],
  ["GET", "/debug/heap/snapshots"],
  ["GET", "/debug/heap/snapshots/x"],
  ["DELETE", "/debug/heap/snapshots/x"],
  ["POST", "/debug/heap/diff"],
  ["GET", "/debug/pprof/heap"],
  ["GET", "/debug/pprof/profile"],
  ["POST", "/debug/diag"],
  ["GET", "/api/live"],
  ["POST", "/logout"],
  ["GET", "/no/such/path"],
] as const;

test("health and metrics are open on loopback, everything else needs the token", async (t) => {
  const { listener, role } = await startAdmin(t);
  const anonymous = new AdminClient(listener.address);
  for (const path of ["/livez", "/readyz", "/metrics"]) assert.equal((await anonymous.ask(path)).status, 200, path);
  for (const [method, path] of guarded) {
    const reply = await anonymous.ask(path, { method });
    assert.equal(reply.status, 401, `${method} ${path}`);
    assert.equal(reply.headers["www-authenticate"], "Bearer");
    assert.equal(errorOf(reply), "unauthorized");
  }
  assert.equal(role.rows.length, 1);
  assert.equal(role.collections, 0);
});

test("endpoints answer", async (t) => {
  const { ask, role } = await startAdmin(t);
  assert.equal((await ask("/livez")).body.toString(), "ok\n");
  assert.deepEqual(jsonOf(await ask("/api/tunnels")), role.rows);
  assert.deepEqual(jsonOf(await ask("/debug/resources")), role.resources());
  const gc = jsonOf(await ask("/debug/gc", { method: "POST" }));
  assert.ok(typeof gc === "object" && gc !== null && "before" in gc && "after" in gc);
  assert.equal(role.collections, 1);
  const closed = await ask("/api/tunnels/demo", { method: "DELETE" });
  assert.equal(closed.status, 204);
  assert.equal(closed.body.length, 0);
  assert.deepEqual(role.rows, []);
  assert.equal(errorOf(await ask("/api/tunnels/demo", { method: "DELETE" })), "not_found");
  assert.equal((await ask("/api/tunnels/%zz", { method: "DELETE" })).status, 404);
});

test("readiness says why not, liveness does not care", async (t) => {
  const { ask, role } = await startAdmin(t);
  role.notReady = "draining";
  const reply = await ask("/readyz");
  assert.equal(reply.status, 503);
  assert.deepEqual(jsonOf(reply), { error: "not_ready", message: "draining" });
  assert.equal((await ask("/livez")).status, 200);
});

test("what has not landed or is not there answers 501 with the reason", async (t) => {
  const { ask } = await startAdmin(t, { loadPprof: () => Promise.resolve({ missing: "no @datadog/pprof here" }) });
  for (const [method, path] of [
    ["GET", "/debug/leaks"],
    ["POST", "/debug/heap/diff"],
    ["GET", "/debug/heap/snapshots"],
    ["POST", "/debug/heap/snapshots"],
    ["GET", "/debug/pprof/heap"],
    ["GET", "/debug/pprof/profile?seconds=1"],
    ["GET", "/debug/logs"],
    ["GET", "/api/log-level"],
  ] as const) {
    const reply = await ask(path, { method });
    assert.equal(reply.status, 501, path);
    assert.equal(errorOf(reply), "not_implemented");
  }
});

test("unknown paths are 404, other methods 405 with Allow", async (t) => {
  const { ask, port } = await startAdmin(t);
  for (const path of ["/x", "/api", "/api/tunnels/", "/metrics/", "//metrics", "/debug/../metrics", "/METRICS"]) {
    assert.equal(errorOf(await ask(path)), "not_found", path);
  }
  const put = await ask("/api/tunnels", { method: "PUT" });
  assert.equal(put.status, 405);
  assert.equal(put.headers.allow, "GET, HEAD");
  assert.equal((await ask("/metrics", { method: "POST" })).status, 405);
  assert.equal((await ask("/debug/gc")).headers.allow, "POST");
  assert.equal(await rawStatus(port, ["OPTIONS /metrics HTTP/1.1", "Host: localhost"]), 405);
  assert.equal(await rawStatus(port, ["GET http://localhost/metrics HTTP/1.1", "Host: localhost"]), 400);
  assert.equal(await rawStatus(port, ["OPTIONS * HTTP/1.1", "Host: localhost"]), 400);
});

test("HEAD is GET without a body", async (t) => {
  const { port } = await startAdmin(t);
  const text = await raw(port, "HEAD /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  assert.match(text, /^HTTP\/1\.1 200 [^]*Content-Length: 3\r\n[^]*\r\n\r\n$/u);
});

test("every answer carries the fields that protect browsers", async (t) => {
  const { ask } = await startAdmin(t);
  for (const path of ["/livez", "/metrics", "/nothing", "/debug/gc", "/api/tunnels"]) {
    const { headers } = await ask(path);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.match(headers["content-security-policy"] as string, /^default-src 'none';.*frame-ancestors 'none'/u);
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["cross-origin-resource-policy"], "same-origin");
    assert.ok(!("access-control-allow-origin" in headers) && !("x-powered-by" in headers));
  }
});

test("metrics come in the format that was asked for, with the exact type", async (t) => {
  const { ask } = await startAdmin(t);
  const text = await ask("/metrics");
  assert.equal(text.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  assert.equal(text.headers.vary, "Accept");
  const open = await ask("/metrics", { accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5" });
  assert.equal(open.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
  assert.ok(open.body.toString().endsWith("# EOF\n"));
});

test("what came through a proxy, a tunnel or another origin is refused with 403, the right token or not", async (t) => {
  const { port, role } = await startAdmin(t);
  const bearer = `Authorization: Bearer ${token}`;
  for (const field of [
    "Via: 1.1 caisson-x",
    "Forwarded: for=1",
    "X-Forwarded-For: 1.2.3.4",
    "Caisson-Error: x",
    "Origin: http://evil.example",
    "Origin: null",
    "Sec-Fetch-Site: cross-site",
  ]) {
    for (const path of ["/livez", "/metrics", "/debug/resources"]) {
      assert.equal(await rawStatus(port, [`GET ${path} HTTP/1.1`, "Host: localhost", bearer, field]), 403, field);
    }
    assert.equal(
      await rawStatus(port, ["POST /debug/gc HTTP/1.1", "Host: localhost", bearer, "Content-Length: 0", field]),
      403,
    );
  }
  for (const host of ["evil.example", "demo.localhost", "localhost.evil.example:9190", "0.0.0.0"]) {
    assert.equal(await rawStatus(port, ["GET /metrics HTTP/1.1", `Host: ${host}`]), 403, host);
  }
  assert.equal(await rawStatus(port, ["GET /metrics HTTP/1.1", "Host: localhost", "Host: localhost"]), 403);
  assert.equal(await rawStatus(port, ["GET /metrics HTTP/1.0"]), 403);
  assert.equal(role.collections, 0);
});

test("an extra Host can be allowed", async (t) => {
  const { port } = await startAdmin(t, { hosts: ["Admin.Example.com"] });
  assert.equal(await rawStatus(port, ["GET /livez HTTP/1.1", "Host: admin.example.com"]), 200);
});

test("signing in gives a cookie that opens the rest; changes with it need the page's own Origin", async (t) => {
  const { listener, port } = await startAdmin(t);
  const login = async (secret: object): Promise<Awaited<ReturnType<AdminClient["ask"]>>> =>
    new AdminClient(listener.address).ask("/login", { method: "POST", body: secret });
  const reply = await login({ token });
  assert.equal(reply.status, 204);
  const [set = ""] = reply.headers["set-cookie"] ?? [];
  assert.match(
    set,
    new RegExp(`^caisson_admin_${port}=[\\w-]{43}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict$`, "u"),
  );
  const cookie = `Cookie: ${set.split(";")[0]}`;
  const host = `Host: localhost:${port}`;
  const own = `Origin: http://localhost:${port}`;
  assert.equal(await rawStatus(port, ["GET /debug/resources HTTP/1.1", host, cookie]), 200);
  assert.equal(await rawStatus(port, ["POST /debug/gc HTTP/1.1", host, cookie, "Content-Length: 0"]), 403);
  assert.equal(await rawStatus(port, ["POST /debug/gc HTTP/1.1", host, cookie, own, "Content-Length: 0"]), 200);
  assert.equal(await rawStatus(port, ["DELETE /api/tunnels/demo HTTP/1.1", host, cookie]), 403);
  assert.equal(await rawStatus(port, ["POST /logout HTTP/1.1", host, cookie, own, "Content-Length: 0"]), 204);
  assert.equal(await rawStatus(port, ["GET /debug/resources HTTP/1.1", host, cookie]), 401);
  const code = /#code=(.*)$/u.exec(listener.signedInUrl())?.[1];
  assert.equal((await login({ code })).status, 204);
  assert.equal((await login({ code })).status, 401);
  for (const bad of [{}, { token: 3 }, { code: null }]) assert.equal((await login(bad)).status, 400);
  assert.equal((await login({ token: "wrong" })).status, 401);
});

test("bodies are bounded JSON objects", async (t) => {
  const lines: string[] = [];
  const log = new Log({ format: "json", redactor: new Redactor(), write: (line) => lines.push(line) });
  const { port, ask } = await startAdmin(t, { extend: (role) => Object.assign(role, { log }) });
  const put = (type: string, body: string): Promise<number> =>
    rawStatus(
      port,
      [
        "PUT /api/log-level HTTP/1.1",
        "Host: localhost",
        `Authorization: Bearer ${token}`,
        `Content-Type: ${type}`,
        `Content-Length: ${body.length}`,
      ],
      body,
    );
  assert.equal(await put("application/json", '{"level":"debug"}'), 200);
  assert.equal(await put("application/json; charset=utf-8", '{"level":"debug","more":1}'), 200);
  assert.equal(await put("text/plain", '{"level":"debug"}'), 415);
  assert.equal(await put("application/x-www-form-urlencoded", "level=debug"), 415);
  for (const body of ["[]", "3", "null", '"x"', "{", '{"level":"loud"}', "{}", '{"__proto__":{"level":"debug"}}']) {
    assert.equal(await put("application/json", body), 400, body);
  }
  assert.equal(await put("application/json", `{"level":"${"x".repeat(20_000)}"}`), 413);
  assert.equal((await ask("/api/log-level", { method: "PUT" })).status, 400);
});

test("the log level changes at run time, and the last lines can be read", async (t) => {
  const lines: string[] = [];
  const log = new Log({ format: "json", redactor: new Redactor(), write: (line) => lines.push(line) });
  const { ask } = await startAdmin(t, { extend: (role) => Object.assign(role, { log }) });
  assert.deepEqual(jsonOf(await ask("/api/log-level")), { level: "info" });
  log.line("debug", "unseen");
  assert.deepEqual(jsonOf(await ask("/api/log-level", { method: "PUT", body: { level: "debug" } })), {
    level: "debug",
  });
  log.line("debug", "seen");
  assert.equal((await ask("/debug/logs")).body.toString(), lines.join(""));
  assert.equal(lines.length, 1);
});

test("a handler that throws is a 500, a fault, and nothing more", async (t) => {
  const { ask, faults } = await startAdmin(t, {
    extend: (role) =>
      Object.assign(role, {
        tunnels: () => {
          throw new Error("inner detail");
        },
      }),
  });
  const reply = await ask("/api/tunnels");
  assert.equal(reply.status, 500);
  assert.ok(!reply.body.includes("inner detail"));
  assert.equal(faults.length, 1);
  assert.equal((await ask("/livez")).status, 200);
});

test("the facts about the process hold no value of the environment and no argument", async (t) => {
  process.env["CAISSON_TOKEN_TEST"] = "canary-in-the-environment";
  t.after(() => void delete process.env["CAISSON_TOKEN_TEST"]);
  const { ask } = await startAdmin(t);
  const reply = await ask("/debug/process");
  assert.equal(reply.status, 200);
  assert.ok(reply.body.includes("CAISSON_TOKEN_TEST"));
  assert.ok(!reply.body.includes("canary-in-the-environment"));
});

test("a unix socket is its owner's only, is replaced when stale, and goes with its listener", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "caisson-admin-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "admin.sock");
  const { listener, ask } = await startAdmin(t, { address: { path } });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(listener.url, `unix:${path}`);
  assert.equal((await ask("/debug/resources")).status, 200);
  assert.equal((await new AdminClient({ path }).ask("/metrics")).status, 200);
  assert.equal((await new AdminClient({ path }).ask("/debug/resources")).status, 401);

  const role = new FakeRole();
  t.after(() => role.metricsOfRole.dispose());
  const second = new AdminListener({ address: { path }, subject: role, token, onFault: () => undefined });
  await assert.rejects(second.listen(), (error) => error instanceof CaissonError && error.code === "E_LISTEN");
  await second.close();
  assert.equal((await ask("/livez")).status, 200);
  await listener.close();
  assert.ok(!existsSync(path));
});

test("a stale socket file is replaced, any other file is not", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "caisson-admin-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "admin.sock");
  const { spawnSync } = await import("node:child_process");
  const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
  assert.ok(existsSync(path));
  const { ask } = await startAdmin(t, { address: { path } });
  assert.equal((await ask("/livez")).status, 200);

  const file = join(folder, "a-file");
  writeFileSync(file, "precious");
  const role = new FakeRole();
  t.after(() => role.metricsOfRole.dispose());
  const listener = new AdminListener({ address: { path: file }, subject: role, token, onFault: () => undefined });
  await assert.rejects(listener.listen(), CaissonError);
  await listener.close();
  assert.ok(statSync(file).isFile());
});

test("an address in use is an error in words", async (t) => {
  const blocker = createServer();
  await new Promise<void>((resolve) => void blocker.listen(0, "127.0.0.1", resolve));
  t.after(() => void blocker.close());
  const bound = blocker.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  const role = new FakeRole();
  t.after(() => role.metricsOfRole.dispose());
  const listener = new AdminListener({
    address: { host: "127.0.0.1", port },
    subject: role,
    token,
    onFault: () => undefined,
  });
  await assert.rejects(
    listener.listen(),
    (error) => error instanceof CaissonError && error.code === "E_LISTEN" && error.message.includes("--admin"),
  );
  await listener.close();
  await listener.close();
});
