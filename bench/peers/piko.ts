// piko: an HTTP proxy that routes by the first label of Host, over one multiplexed WebSocket. Written in Go. Its timeouts of
// 10 s for a whole request are raised, because 1 GiB takes longer on a busy machine.

import { answersOn } from "../contestants/answers-on.ts";
import { standingOf } from "../contestants/contestant.ts";
import { told } from "../contest/program-versions.ts";
import { freePorts } from "../harness/free-ports.ts";
import type { Peer, Sought } from "./peer.ts";
import { fileOf, missingOf, quietly, sought } from "./peer.ts";

/** Server and agent are one program. */
export const pikoProgram: Sought = sought("PEER_PIKO", "piko");
const endpoint = "bench";

/** See README.md. */
export const piko: Peer = {
  name: "piko",
  proxies: "HTTP",
  missing: missingOf(pikoProgram),
  version: () => told(fileOf(pikoProgram), ["--version"], /(\d+\.\d+\.\d+\S*)/u),
  start: (target) =>
    standingOf(async (resources) => {
      const [port = 0, upstream = 0, admin = 0, gossip = 0, agent = 0] = await freePorts(5);
      const file = fileOf(pikoProgram);
      const bind = (name: string, to: number): readonly string[] => [`--${name}.bind-addr`, `127.0.0.1:${to}`];
      const binds = [
        bind("proxy", port),
        bind("upstream", upstream),
        bind("admin", admin),
        bind("cluster.gossip", gossip),
      ];
      const patience = ["--proxy.timeout", "--proxy.http.read-timeout", "--proxy.http.write-timeout"];
      const server = quietly(resources, {
        title: "piko server",
        file,
        args: ["server", ...binds.flat(), ...patience.flatMap((flag) => [flag, "10m"])],
      });
      await server.listensOn(upstream);
      const connect = ["--connect.url", `http://127.0.0.1:${upstream}`, "--timeout", "10m"];
      const client = quietly(resources, {
        title: "piko agent",
        file,
        args: ["agent", "http", endpoint, `127.0.0.1:${target}`, ...connect, ...bind("server", agent)],
      });
      const host = `${endpoint}.example`;
      await answersOn({ port, host });
      return { port, host, pids: [server.pid, client.pid] };
    }),
};
