// chisel: passes on bytes through SSH over one WebSocket, so everything is encrypted once. Written in Go.

import { answersOn } from "../contestants/answers-on.ts";
import { standingOf } from "../contestants/contestant.ts";
import { told } from "../contest/program-versions.ts";
import { freePorts } from "../harness/free-ports.ts";
import type { Peer, Sought } from "./peer.ts";
import { fileOf, missingOf, quietly, sought } from "./peer.ts";

/** Server and client are one program. */
export const chiselProgram: Sought = sought("PEER_CHISEL", "chisel");

/** See README.md. */
export const chisel: Peer = {
  name: "chisel",
  proxies: "bytes",
  missing: missingOf(chiselProgram),
  version: () => told(fileOf(chiselProgram), ["--version"], /(\d+\.\d+\.\d+)/u),
  start: (target) =>
    standingOf(async (resources) => {
      const [control = 0, port = 0] = await freePorts(2);
      const file = fileOf(chiselProgram);
      const server = quietly(resources, {
        title: "chisel server",
        file,
        args: ["server", "--host", "127.0.0.1", "--port", String(control), "--reverse"],
      });
      await server.listensOn(control);
      const client = quietly(resources, {
        title: "chisel client",
        file,
        args: ["client", `http://127.0.0.1:${control}`, `R:127.0.0.1:${port}:127.0.0.1:${target}`],
      });
      const host = `127.0.0.1:${port}`;
      await answersOn({ port, host });
      return { port, host, pids: [server.pid, client.pid] };
    }),
};
