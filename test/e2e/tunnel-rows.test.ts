// What both private listeners say that a tunnel has carried: the same, whether it were exchanges or pipes.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import type { TunnelRow } from "../../src/admin/subject.ts";
import type { AdminReader } from "../support/admin-reader.ts";
import { PrivateAdmin } from "../support/admin-reader.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

type Carried = Pick<TunnelRow, "requests" | "bytesIn" | "bytesOut">;

async function carriedBy(reader: AdminReader): Promise<Carried | undefined> {
  const [row] = await reader.json<TunnelRow[]>("/api/tunnels");
  return row && { requests: row.requests, bytesIn: row.bytesIn, bytesOut: row.bytesOut };
}

test("server and client count what a tunnel has carried alike", async () => {
  using serverAdmin = new PrivateAdmin();
  using clientAdmin = new PrivateAdmin();
  const http = createServer((request, response) => void request.pipe(response));
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket) => void socket.on("message", (data) => socket.send(data)));
  await new Promise<void>((resolve) => void http.listen(0, "127.0.0.1", resolve));
  {
    await using rig = await Rig.start({
      targetPort: (http.address() as AddressInfo).port,
      serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: serverAdmin.options },
      connect: { admin: clientAdmin.options },
    });
    const readers = { server: serverAdmin.reader(rig.server), client: clientAdmin.reader(rig.tunnel) };
    const body = "x".repeat(1_000);
    assert.equal((await rig.fetch("/", { method: "POST", body })).body, body);
    await until(async () => (await carriedBy(readers.client))?.bytesOut === 1_000, { what: "the exchange has ended" });
    assert.deepEqual(await carriedBy(readers.client), { requests: 1, bytesIn: 1_000, bytesOut: 1_000 });
    assert.deepEqual(await carriedBy(readers.server), { requests: 1, bytesIn: 1_000, bytesOut: 1_000 });

    const socket = new WebSocket(rig.server.url.replace("http", "ws"), { perMessageDeflate: false });
    await once(socket, "open");
    socket.send(body);
    await once(socket, "message");
    socket.close();
    await once(socket, "close");
    const told = async (): Promise<boolean> => {
      const [server, client] = [await carriedBy(readers.server), await carriedBy(readers.client)];
      return server !== undefined && server.bytesOut > 2_000 && JSON.stringify(server) === JSON.stringify(client);
    };
    await until(told, { what: "both sides say the same of the pipe" });
    assert.equal((await carriedBy(readers.client))?.requests, 2);
  }
  sockets.close();
  await new Promise<void>((resolve) => void http.close(() => resolve()));
});
