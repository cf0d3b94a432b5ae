// The churn scenario against a server that already listens: clients connect, autocannon sends requests through their
// tunnels with rotating Host headers, clients disconnect, again and again for some seconds. It reads nothing and judges
// nothing: that is caisson gate. When: run by profile.mjs while the server is profiled.
// Example: npm run build && node scripts/clinic/churn.mjs --port 8080 --seconds 20

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { dist } from "../prepare.mjs";

const { values } = parseArgs({
  options: {
    // clinic tells the port of the server that it profiles in PORT.
    port: { type: "string", default: process.env.PORT ?? "8080" },
    seconds: { type: "string", default: "20" },
    clients: { type: "string", default: "25" },
    requests: { type: "string", default: "1000" },
    /** Written when everything went as it should: clinic hides how its load ended. */
    result: { type: "string" },
  },
});
const [port, seconds, size, amount] = [values.port, values.seconds, values.clients, values.requests].map(Number);

const load = (path) => import(pathToFileURL(join(dist, "bench", "gate", path)).href);
const { Worker } = await load("processes/worker.js");

// The origin and the clients are processes of their own, as in the gate; both end with this one.
const origin = new Worker({ title: "the origin", script: "./origin-worker.js" });
const clients = new Worker({ title: "the clients", script: "./client-worker.js" });
const visitors = new Worker({ title: "the visitors", script: "./visitor-worker.js" });

const total = { connections: 0, requests: 0, rounds: 0 };
try {
  const { port: originPort } = await origin.ask({ do: "listen" });
  const target = `127.0.0.1:${originPort}`;
  const server = `ws://127.0.0.1:${port}`;
  const endsAtMs = performance.now() + seconds * 1_000;
  while (performance.now() < endsAtMs) {
    const names = Array.from({ length: size }, (_, at) => `churn-${total.rounds}-${at}`);
    await clients.ask({ do: "connect", names, server, target });
    const hosts = names.map((name) => `${name}.localhost`);
    const { answered = 0 } = await visitors.ask({ do: "load", port, hosts, amount, connections: 10 });
    await clients.ask({ do: "disconnect", names, force: false });
    total.connections += size;
    total.requests += answered;
    total.rounds += 1;
  }
} finally {
  await Promise.all([clients, visitors, origin].map((worker) => worker.process.stop()));
}
const summary = `${total.rounds} rounds, ${total.connections} clients, ${total.requests} requests, all answered\n`;
process.stdout.write(summary);
if (values.result !== undefined) writeFileSync(values.result, summary);
