// The first words of a TLS client, taken from a real one: for tests that look at bytes and not at what they say.

import { once } from "node:events";
import type { Socket } from "node:net";
import { createServer } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { connect } from "node:tls";
import { listening, portOf } from "./ws-pair.ts";

/** The ClientHello of Node's own client, as one record or more. */
export async function firstHello(options: ConnectionOptions): Promise<Buffer> {
  const server = await listening(createServer());
  const accepted = once(server, "connection");
  const client = connect({ port: portOf(server), host: "127.0.0.1", ...options });
  client.on("error", () => undefined);
  const [socket] = (await accepted) as [Socket];
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

/** A ClientHello of one record, cut into records of at most `size` bytes. */
export function fragmentHello(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}
