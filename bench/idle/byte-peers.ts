// Peers of which each tunnel is a port of the server, in bench:idle: bore and chisel, with a client each, a process. They tell
// nothing, so what their servers listen on is counted, and cannot be told to collect garbage.

import { AsyncResources } from "../harness/async-resources.ts";
import { freePorts } from "../harness/free-ports.ts";
import { boreProgram, boreControlPort } from "../peers/bore.ts";
import { chiselProgram } from "../peers/chisel.ts";
import type { Sought } from "../peers/peer.ts";
import { fileOf, missingOf, quietly } from "../peers/peer.ts";
import type { IdleContestant, IdleGround, IdleServer } from "./contestant.ts";
import { IdlePeer } from "./idle-peer.ts";
import { listenersOf } from "./listeners.ts";

/** Clients are processes. */
const mostTunnels = 250;

/** Where a server and its tunnels are. */
interface Place extends IdleGround {
  readonly control: number;
  /** One for each tunnel that may come. */
  readonly ports: readonly number[];
}

interface BytePeer {
  readonly name: string;
  readonly program: Sought;
  /** What its control port is, if it cannot be chosen. */
  readonly control?: number;
  readonly serverArgs: (place: Place) => readonly string[];
  /** The arguments of the client of a tunnel. */
  readonly clientArgs: (place: Place, port: number) => readonly string[];
}

const bore: BytePeer = {
  name: "bore",
  program: boreProgram,
  control: boreControlPort,
  serverArgs: () => ["server", "--bind-addr", "127.0.0.1"],
  clientArgs: ({ target }, port) => {
    const way = ["--local-host", "127.0.0.1", "--to", "127.0.0.1", "--port", String(port)];
    return ["local", String(target), ...way];
  },
};

const chisel: BytePeer = {
  name: "chisel",
  program: chiselProgram,
  serverArgs: ({ control }) => ["server", "--host", "127.0.0.1", "--port", String(control), "--reverse"],
  clientArgs: ({ control, target }, port) => [
    "client",
    `http://127.0.0.1:${control}`,
    `R:127.0.0.1:${port}:127.0.0.1:${target}`,
  ],
};

/** In the order of tables. */
export const bytePeers: readonly IdleContestant[] = [bore, chisel].map((peer) => ({
  name: peer.name,
  tunnelsPerSession: 1,
  mostTunnels,
  missing: missingOf(peer.program),
  start: (ground) => start(peer, ground),
}));

async function start(peer: BytePeer, ground: IdleGround): Promise<IdleServer> {
  const resources = new AsyncResources();
  const [free = 0, ...ports] = await freePorts(mostTunnels + 1);
  const place = { ...ground, control: peer.control ?? free, ports };
  const run = (title: string, args: readonly string[]): ReturnType<typeof quietly> =>
    quietly(resources, { title, file: fileOf(peer.program), args });
  const server = run(`${peer.name}, server`, peer.serverArgs(place));
  try {
    await server.listensOn(place.control);
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
  return new IdlePeer({
    server,
    *clients(tunnels) {
      for (const port of ports.slice(0, tunnels)) yield run(`${peer.name}, client`, peer.clientArgs(place, port));
    },
    // All but the one that clients come to.
    standing: () => Promise.resolve(listenersOf(server.pid) - 1),
    collectGarbage: () => Promise.resolve(undefined),
    release: () => resources[Symbol.asyncDispose](),
  });
}
