// A program of its own: opens a server and a client, both observed, uses everything once, closes, and says what is left.
// It must then end by itself. Run by accounting-closing.test.ts.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "../../src/assemble/connect.ts";
import { serve } from "../../src/assemble/serve.ts";
import { PrivateAdmin } from "../support/admin-reader.ts";

const serverAdmin = new PrivateAdmin();
const clientAdmin = new PrivateAdmin();
const target = createServer((_, response) => void response.end("here"));
await new Promise<void>((resolve) => void target.listen(0, "127.0.0.1", resolve));
const server = await serve({
  listen: "127.0.0.1:0",
  catchAll: "demo",
  admin: { ...serverAdmin.options, snapshotOnSignal: true },
});
const tunnel = await connect({
  server: server.url.replace("http", "ws"),
  target: (target.address() as AddressInfo).port,
  name: "demo",
  admin: clientAdmin.options,
});
const body = await (await fetch(server.url)).text();
for (const reader of [serverAdmin.reader(server), clientAdmin.reader(tunnel)]) {
  // Starts the threads and profilers behind these, as far as there are any.
  await reader.metrics();
  await reader.resources();
  await reader.collect(1);
  await reader.ask("/debug/heap/snapshots");
}
await tunnel.close();
await server.close();
target.closeAllConnections();
await new Promise((resolve) => void target.close(resolve));
serverAdmin[Symbol.dispose]();
clientAdmin[Symbol.dispose]();
// Handles that are being closed are named until the turn after.
for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
const left = process.getActiveResourcesInfo().filter((name) => name !== "PipeWrap" && name !== "TTYWrap");
const signals = process.listenerCount("SIGUSR2");
process.stdout.write(`${JSON.stringify({ event: "closed", body, left, signals })}\n`);
