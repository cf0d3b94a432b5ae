// Says to `caisson gate --attach` how a client of the sample server connects, is used and disconnects. A driver is any
// module with these functions; connect and disconnect suffice. The server's address comes from SAMPLE_URL.

import { once } from "node:events";
import { get } from "node:http";
import type { RawData } from "ws";
import { WebSocket } from "ws";

const server: string = process.env["SAMPLE_URL"] ?? "http://127.0.0.1:8090";

/** What `connect` gives, and the other functions take. */
export interface SampleClient {
  readonly name: string;
  readonly socket: WebSocket;
}

/** Connects a client; resolves when the server knows it. */
export async function connect(number: number): Promise<SampleClient> {
  const name = `client-${number}`;
  const socket = new WebSocket(`${server.replace("http", "ws")}/${name}`, { perMessageDeflate: false });
  const greeted = new Promise<void>((resolve) => {
    socket.on("message", (data: RawData) => {
      const message: unknown = Buffer.isBuffer(data) ? JSON.parse(data.toString("utf8")) : undefined;
      if (typeof message !== "object" || message === null) return;
      if ("path" in message && "id" in message) answer(socket, { id: message.id, path: message.path });
      else resolve();
    });
  });
  await Promise.race([greeted, once(socket, "close").then(() => Promise.reject(new Error("refused")))]);
  return { name, socket };
}

/** Sends a request through the client's tunnel and compares the answer. */
export async function use({ name }: SampleClient): Promise<void> {
  const path = `/${name}/hello`;
  const body = await new Promise<string>((resolve, reject) => {
    get(`${server}${path}`, { agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.once("end", () => resolve(text)).once("error", reject);
    }).once("error", reject);
  });
  if (body !== `you asked for ${path}`) throw new Error(`${path} was answered with ${JSON.stringify(body)}`);
}

/** Disconnects it; resolves when the connection has closed. */
export async function disconnect({ socket }: SampleClient): Promise<void> {
  const closed = once(socket, "close");
  socket.close();
  await closed;
}

function answer(socket: WebSocket, { id, path }: { readonly id: unknown; readonly path: unknown }): void {
  socket.send(JSON.stringify({ id, body: `you asked for ${String(path)}` }));
}
