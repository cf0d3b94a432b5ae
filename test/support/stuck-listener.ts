// A port on which connections neither succeed nor fail: its listener never accepts, and its backlog is full, so that the
// system drops further SYNs. What a firewall looks like, on loopback.

import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { Worker } from "node:worker_threads";

/** Listens, tells the port, and then blocks its thread so that nothing is ever accepted. */
const blockedListener = `
const { createServer } = require("node:net");
const { parentPort, workerData } = require("node:worker_threads");
const server = createServer((socket) => socket.destroy());
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  Atomics.wait(new Int32Array(workerData), 0, 0);
  server.close();
});
`;

/** How many connections a backlog of one takes at most, with a margin. */
const fillers = 8;
/** On loopback a connection that is not there after so long is not coming. Milliseconds. */
const settleMs = 300;

/** The stuck port. */
export class StuckListener {
  readonly port: number;
  readonly #worker: Worker;
  readonly #gate: SharedArrayBuffer;
  readonly #sockets: readonly Socket[];

  private constructor(port: number, worker: Worker, held: { gate: SharedArrayBuffer; sockets: readonly Socket[] }) {
    this.port = port;
    this.#worker = worker;
    this.#gate = held.gate;
    this.#sockets = held.sockets;
  }

  /** Resolves when the port is stuck. */
  static async start(): Promise<StuckListener> {
    const gate = new SharedArrayBuffer(4);
    const worker = new Worker(blockedListener, { eval: true, workerData: gate });
    const [port]: unknown[] = await once(worker, "message");
    if (typeof port !== "number") throw new Error("the listener told no port");
    const sockets = Array.from({ length: fillers }, () => connect({ port, host: "127.0.0.1" }));
    for (const socket of sockets) socket.on("error", () => undefined);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    if (sockets.every((socket) => !socket.connecting)) throw new Error("the backlog took every connection");
    return new StuckListener(port, worker, { gate, sockets });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const ended = once(this.#worker, "exit");
    Atomics.store(new Int32Array(this.#gate), 0, 1);
    Atomics.notify(new Int32Array(this.#gate), 0);
    await ended;
  }
}
