// Seeds: a second connection is piped into each visitor's socket, as a mirror or a tunnel does. When the visitor closes,
// `pipe` stops reading from the other side and leaves it open. It touches only Node's own net.
// Real case: nodejs/node #1834: `a.pipe(b)` does not destroy `a` when `b` closes.
// Rate: two sockets (both ends are in this process) for every tenth connection. Seen by: descriptors, handles, objects.

import { connect, createServer, Server, Socket } from "node:net";
import { portOf } from "../gate/network/port-of.ts";
import { patch } from "./patch.ts";

const oneIn = 10;
let connections = 0;
let piped = 0;

/** How many connections were piped. */
export function seeded(): number {
  return piped;
}

const mirror = createServer({ pauseOnConnect: true });
mirror.listen(0, "127.0.0.1").unref();

patch(Server, "emit", function emit(original, event, ...args) {
  const name: string = event;
  const visitor: unknown = args[0];
  // HTTP servers, such as a private listener, are a class of their own.
  const isPlain = this !== mirror && this.constructor === Server;
  if (name === "connection" && isPlain && visitor instanceof Socket) mirrorTo(visitor);
  return original(event, ...args);
});

function mirrorTo(visitor: Socket): void {
  connections += 1;
  if (connections % oneIn !== 0) return;
  piped += 1;
  const source = connect({ host: "127.0.0.1", port: portOf(mirror) });
  source.on("error", () => undefined);
  source.pipe(visitor);
}
