// An address of the clients' own: they connect there and nowhere else, and it leads no visitor to a tunnel.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/assemble/connect.ts";
import { serve } from "../../src/assemble/serve.ts";
import { connectPath } from "../../src/server/routing.ts";
import { Words } from "../hostile/words.ts";
import { Authority } from "../support/authority.ts";
import { needs } from "../support/debian.ts";
import { RawClient } from "../support/raw-client.ts";
import { Rig } from "../support/rig.ts";
import { runCaisson, startCaisson } from "../support/run.ts";
import { fetchTls } from "../support/tls-visitor.ts";
import { until } from "../support/until.ts";

const apart = { listen: "127.0.0.1:0", listenClients: "127.0.0.1:0", catchAll: "demo" } as const;
const asSocket = (url: string): string => url.replace(/^http/u, "ws");

test("visitors and clients come in by their own doors, and by no other", async () => {
  const words = new Words();
  await using rig = await Rig.start({ serve: apart, serverSubscribers: [words] });
  assert.equal((await rig.fetch("/by/visitors")).body, "GET /by/visitors");
  const port = Number(new URL(rig.server.clientsUrl).port);
  assert.notEqual(port, rig.port);
  for (const path of ["/", "/healthz", `${connectPath}/not`]) {
    const answer = await rig.fetch(path, { port });
    assert.equal(answer.status, 421, path);
    assert.match(answer.body, /Only clients connect at this address/);
  }
  assert.equal((await rig.fetch(connectPath, { port, method: "POST", body: "x" })).status, 413);
  await assert.rejects(connect({ server: asSocket(rig.server.url), target: 1 }), (error: Error) => {
    assert.match(error.message, /answered 421 to the login.*--listen-clients/);
    return true;
  });
  assert.deepEqual(new Set(words.badRequests), new Set(["clients_only", "body_not_expected", "clients_elsewhere"]));
});

test(
  "the clients' address speaks TLS where there is a certificate, whatever the server name",
  needs("openssl"),
  async () => {
    using authority = await Authority.create();
    const pair = await authority.issue(["tunnels.test", "*.tunnels.test", "127.0.0.1"]);
    await using rig = await Rig.start({
      serve: { ...apart, listenTls: "127.0.0.1:0", tls: [pair], domain: "tunnels.test" },
      // What is passed through by its name is not passed through here.
      connect: { ca: authority.ca, type: "tls", name: "demo" },
    });
    const { clientsUrl } = rig.server;
    const port = Number(new URL(clientsUrl).port);
    assert.equal(clientsUrl, `https://tunnels.test:${port}`);
    const answer = await fetchTls("/", { port, ca: authority.ca });
    assert.deepEqual([answer.status, /Only clients/.test(answer.body)], [421, true]);
  },
);

test("clients who shake hands take no place from visitors who do", needs("openssl"), async () => {
  using authority = await Authority.create();
  const pair = await authority.issue(["tunnels.test", "*.tunnels.test", "127.0.0.1"]);
  const limits = { maxArrivals: 3 };
  await using rig = await Rig.start({
    serve: { ...apart, listenTls: "127.0.0.1:0", tls: [pair], domain: "tunnels.test", limits },
    connect: { ca: authority.ca },
  });
  const [clients, visitors] = [rig.server.clientsUrl, rig.server.tlsUrl].map((url) => Number(new URL(url).port));
  assert.ok(clients !== undefined && visitors !== undefined);
  const crowd = await Promise.all(Array.from({ length: 3 }, () => RawClient.connect(clients)));
  await until(() => rig.server.inventory().probes["visitors.arriving"] === 3, { what: "they are on their way" });
  const more = await RawClient.connect(clients);
  await more.ended();
  assert.equal((await fetchTls("/", { port: visitors, ca: authority.ca })).status, 200);
  for (const client of [...crowd, more]) client.close();
  await until(() => rig.server.inventory().probes["visitors.arriving"] === 0, { what: "they are gone" });
});

test("it is what has to be private without tokens", async () => {
  const everywhere = { listen: "0.0.0.0:0" };
  await using server = await serve({ ...everywhere, listenClients: "127.0.0.1:0" });
  await using tunnel = await connect({ server: asSocket(server.clientsUrl), target: 1 });
  assert.notEqual(tunnel.name, "");
  await assert.rejects(serve({ listen: "127.0.0.1:0", listenClients: "0.0.0.0:0" }), /--tokens/);
  await assert.rejects(serve({ listen: "127.0.0.1:0", listenClients: "7000x" }), /listen address for clients/);
});

test("the command line says where clients connect", async () => {
  const flags = ["serve", "--listen", "127.0.0.1:0", "--listen-clients", "127.0.0.1:0", "--admin", "off"];
  await using json = startCaisson([...flags, "--json"]);
  const told = JSON.parse(await json.line(/listening/)) as { readonly url: string; readonly clients?: string };
  assert.notEqual(told.clients, told.url);
  await using plain = startCaisson(flags);
  const port = / --server ws:\/\/127\.0\.0\.1:(\d+)\)/.exec(await plain.line(/listening on/))?.[1];
  assert.ok(
    port !== undefined && !(await plain.line(/listening on/)).includes(`listening on http://127.0.0.1:${port} `),
  );
  const wrong = await runCaisson(["serve", "--listen", "off", "--listen-clients", "127.0.0.1:0", "--admin", "off"]);
  assert.deepEqual([wrong.code, /--listen-tls/.test(wrong.stderr)], [3, true], wrong.stderr);
});
