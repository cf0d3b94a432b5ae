// Healthy: one download that goes on for the whole run at some kilobytes per second, through a tunnel of this very
// process to a target in it.
// Must not be reported: its exchange, stream and sockets grow old, but they are alive, and there is one of each.

import type { ServerResponse } from "node:http";
import { createServer, request } from "node:http";
import { connect } from "../../../src/index.ts";
import { TunnelServer } from "../../../src/internals.ts";
import { portOf } from "../../gate/network/port-of.ts";
import { patch } from "../patch.ts";

const pieceMs = 100;
const piece = Buffer.alloc(512, "x");
let received = 0;

/** How many bytes came. */
export function seeded(): number {
  return received;
}

function sendSlowly(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "application/octet-stream" });
  const timer = setInterval(() => response.write(piece), pieceMs);
  response.once("close", () => clearInterval(timer));
}

async function download(port: number): Promise<void> {
  const target = createServer((_, response) => sendSlowly(response));
  await new Promise<void>((resolve) => void target.listen(0, "127.0.0.1", resolve));
  const tunnel = await connect({ server: `ws://127.0.0.1:${port}`, target: portOf(target) });
  const headers = { Host: tunnel.direct.host };
  await new Promise<void>((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, headers, agent: false }, (response) => {
      response.on("data", (chunk: Buffer) => {
        received += chunk.length;
        resolve();
      });
    });
    sent.on("error", reject);
    sent.end();
  });
}

patch(TunnelServer, "listen", async function listen(original, where) {
  const address = await original(where);
  await download(address.port);
  return address;
});
