// Pairs of real TCP sockets on 127.0.0.1.

import { once } from "node:events";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import { listening, portOf } from "./ws-pair.ts";

/** Two ends of one connection: both half-open, both without listeners for data. */
export interface SocketPair {
  readonly near: Socket;
  readonly far: Socket;
}

/** Connects two sockets. What goes wrong on `far` is ignored. */
export async function socketPair(): Promise<SocketPair> {
  const server = await listening(createServer({ allowHalfOpen: true, pauseOnConnect: true }));
  const far = connect({ port: portOf(server), host: "127.0.0.1", allowHalfOpen: true });
  far.on("error", () => {});
  const [near] = (await Promise.all([once(server, "connection"), once(far, "connect")]))[0] as [Socket];
  server.close();
  return { near, far };
}
