// bore: passes on bytes, over a TCP connection for each visitor. Written in Rust. Its control port is fixed (7835).

import { answersOn } from "../contestants/answers-on.ts";
import { standingOf } from "../contestants/contestant.ts";
import { told } from "../contest/program-versions.ts";
import { freePort } from "../harness/free-ports.ts";
import type { Peer, Sought } from "./peer.ts";
import { fileOf, missingOf, quietly, sought } from "./peer.ts";

/** Server and client are one program. */
export const boreProgram: Sought = sought("PEER_BORE", "bore");
/** Nothing can change it. */
export const boreControlPort = 7_835;

/** See README.md. */
export const bore: Peer = {
  name: "bore",
  proxies: "bytes",
  missing: missingOf(boreProgram),
  version: () => told(fileOf(boreProgram), ["--version"], /bore-cli (\S+)/u),
  start: (target) =>
    standingOf(async (resources) => {
      const port = await freePort();
      const file = fileOf(boreProgram);
      const server = quietly(resources, {
        title: "bore server",
        file,
        args: ["server", "--bind-addr", "127.0.0.1", "--min-port", String(port), "--max-port", String(port)],
      });
      await server.listensOn(boreControlPort);
      const client = quietly(resources, {
        title: "bore local",
        file,
        args: ["local", String(target), "--local-host", "127.0.0.1", "--to", "127.0.0.1", "--port", String(port)],
      });
      const host = `127.0.0.1:${port}`;
      await answersOn({ port, host });
      return { port, host, pids: [server.pid, client.pid] };
    }),
};
