// What may go wrong around connections that are passed through: tokens that do not allow the name or end, clients that
// die, crowds, and visitors who stop in the middle. Nothing is left behind, and the next visitor is served.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { needs } from "../support/debian.ts";
import { firstHello } from "../support/first-hello.ts";
import { PassRig, passDomain, passName } from "../support/pass-rig.ts";
import { Authority } from "../support/authority.ts";
import { RawClient } from "../support/raw-client.ts";
import { RawTarget } from "../support/raw-target.ts";
import { runCaisson, startCaisson } from "../support/run.ts";
import { connectTls } from "../support/tls-visitor.ts";
import { TokensFile } from "../support/tokens.ts";
import { until } from "../support/until.ts";

const options = needs("openssl");

function echo(): Promise<RawTarget> {
  return RawTarget.start((socket) => socket.pipe(socket), { halfOpen: true });
}

/** A visitor who has sent its ClientHello. */
async function visit(port: number, hello: Buffer): Promise<RawClient> {
  const visitor = await RawClient.connect(port);
  visitor.send(hello);
  return visitor;
}

async function served(port: number, hello: Buffer): Promise<RawClient> {
  const visitor = await visit(port, hello);
  await until(() => visitor.bytes.length === hello.length, { what: "a visitor is served" });
  return visitor;
}

function refusedWith(code: string, pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof CaissonError && error.code === code && pattern.test(error.message);
}

test("a token allows names for TLS as for HTTP, and with it the connections end", options, async () => {
  await using target = await echo();
  using file = new TokensFile();
  const own = await file.add({ names: ["pass"], ports: [{ from: 1, to: 65_535 }] });
  await using pass = await PassRig.start({
    targetPort: target.port,
    serve: { tokens: file.file },
    connect: { token: own.token },
  });
  const { rig, port } = pass;
  for (const name of ["other", undefined]) {
    await assert.rejects(rig.connectAnother({ name } as object), refusedWith("E_AUTH", /scope/));
  }
  const hello = await firstHello({ servername: passName });
  const visitor = await served(port, hello);
  await file.revoke(own.entry.id);
  assert.ok(refusedWith("E_AUTH", /revoked/)(await rig.tunnel.closed));
  assert.equal(await visitor.ended(), "reset");
  // The name is nobody's, so that the server answers for it itself.
  const late = await visit(port, hello);
  await until(() => late.bytes.length > 0, { what: "the server's own handshake" });
  for (const client of [visitor, late]) client.close();
});

test("a name that is kept for a token which is revoked meanwhile: who waits is reset", options, async () => {
  await using target = await echo();
  using file = new TokensFile();
  const own = await file.add();
  await using pass = await PassRig.start({
    targetPort: target.port,
    relay: {},
    serve: { tokens: file.file },
    connect: { token: own.token },
  });
  pass.rig.relay.freeze();
  pass.rig.relay.cut();
  await until(() => pass.probe("names.held") === 1, { what: "the name is held" });
  const visitor = await visit(pass.port, await firstHello({ servername: passName }));
  await until(() => pass.probe("names.waiting") === 1, { what: "a visitor waits" });
  await file.revoke(own.entry.id);
  await pass.rig.server.reload();
  assert.equal(await visitor.ended(), "reset");
  visitor.close();
  pass.rig.relay.thaw();
});

test("a name that comes back as another kind of tunnel: nobody's bytes go to the wrong one", options, async () => {
  await using target = await echo();
  using file = new TokensFile();
  const own = await file.add();
  const connect = { token: own.token };
  await using pass = await PassRig.start({ targetPort: target.port, relay: {}, serve: { tokens: file.file }, connect });
  const { rig, port } = pass;
  rig.relay.freeze();
  rig.relay.cut();
  await until(() => pass.probe("names.held") === 1, { what: "the name is held" });
  const visitor = await visit(port, await firstHello({ servername: passName }));
  await until(() => pass.probe("names.waiting") === 1, { what: "a visitor waits" });
  const directly = rig.server.url.replace("http", "ws");
  const web = await rig.connectAnother({ type: "http", server: directly });
  assert.match(web.url, /^https:/);
  assert.equal(await visitor.ended(), "reset");
  assert.deepEqual([visitor.text, target.accepted], ["", 0]);
  // And the other way round: a connection that was decrypted carries no requests for what is not.
  const answers = await connectTls(port, { ca: pass.ca, servername: passName });
  const get = `GET / HTTP/1.1\r\nHost: ${passName}\r\n\r\n`;
  let text = "";
  answers.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  answers.write(get.replace("GET", "OPTIONS"));
  await until(() => target.accepted === 1, { what: "the target has a request" });
  await rig.connectAnother({ type: "tls", server: directly });
  await until(() => text.includes("bad_target_response"), { what: "the echo is no answer" });
  answers.write(get);
  await until(() => /HTTP\/1\.1 421 [\s\S]*\(SNI\)/.test(text), { what: "the request is refused", detail: () => text });
  answers.destroy();
  visitor.close();
  rig.relay.thaw();
});

test("silence and halves are the server's to end; a crowd waits in bounds, and is reset", options, async () => {
  await using target = await echo();
  const limits = { arrivalMs: 300, maxStreams: 1, roomWaitMs: 300, maxRoomWaiters: 1 };
  await using pass = await PassRig.start({ targetPort: target.port, serve: { limits } });
  const { port, words, rig } = pass;
  const hello = await firstHello({ servername: passName });
  const half = await visit(port, hello.subarray(0, hello.length - 1));
  await half.ended();
  assert.deepEqual([half.text, words.refusals], ["", ["arrival_timeout"]]);
  const first = await served(port, hello);
  const second = await visit(port, hello);
  await until(() => pass.probe("rooms.waiting") === 1, { what: "the second waits" });
  const third = await visit(port, hello);
  assert.equal(await third.ended(), "reset");
  assert.equal(await second.ended(), "reset");
  assert.deepEqual(words.refusals.slice(1), ["room_waiters", "room_wait"]);
  const fourth = await visit(port, hello);
  await until(() => pass.probe("rooms.waiting") === 1, { what: "another waits" });
  first.reset();
  await until(() => fourth.bytes.length === hello.length, { what: "it gets the place" });
  const leaver = await visit(port, hello);
  await until(() => pass.probe("rooms.waiting") === 1, { what: "one more waits" });
  leaver.reset();
  await until(() => pass.probe("rooms.waiting") === 0, { what: "it has left" });
  for (const client of [half, first, second, third, fourth]) client.close();
  await rig.quiet();
});

test("the command line: a client that is killed takes its connections along", options, async () => {
  await using target = await echo();
  using authority = await Authority.create();
  const pair = await authority.issue([`*.${passDomain}`]);
  const served443 = ["--listen-tls", "127.0.0.1:0", "--tls-cert", pair.cert, "--tls-key", pair.key];
  const where = ["--listen", "127.0.0.1:0", "--domain", passDomain, "--admin", "off"];
  await using server = startCaisson(["serve", "--json", ...where, ...served443]);
  const { url } = await server.event("listening");
  const to = ["--server", String(url).replace("http", "ws"), "--json"];
  await using client = startCaisson(["tls", String(target.port), "--name", "pass", ...to]);
  const tunnel = await client.event("tunnel");
  assert.equal(tunnel["target"], `localhost:${target.port}`);
  const port = Number(/^tls:\/\/pass\.tunnels\.test:(\d+)$/.exec(String(tunnel["url"]))?.[1]);
  const hello = await firstHello({ servername: passName });
  const visitor = await served(port, hello);
  client.kill("SIGKILL");
  assert.equal(await visitor.ended(), "reset");
  visitor.close();
  await using plain = startCaisson(["serve", "--json", "--listen", "127.0.0.1:0", "--admin", "off"]);
  const other = String((await plain.event("listening")).url).replace("http", "ws");
  const refused = await runCaisson(["tls", String(target.port), "--server", other]);
  assert.deepEqual([refused.code, /--listen-tls/.test(refused.stderr)], [1, true], refused.stderr);
  const wrong = await runCaisson(["tls", "https://localhost:8443"]);
  assert.deepEqual([wrong.code, /write 8443 or host:port/.test(wrong.stderr)], [2, true], wrong.stderr);
});
