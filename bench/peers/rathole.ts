// rathole: passes on bytes, over a TCP connection for each visitor. Written in Rust.

import { join } from "node:path";
import { answersOn } from "../contestants/answers-on.ts";
import { standingOf } from "../contestants/contestant.ts";
import { told } from "../contest/program-versions.ts";
import { freePorts } from "../harness/free-ports.ts";
import type { Peer } from "./peer.ts";
import { configured, fileOf, missingOf, quietly, sought } from "./peer.ts";

const program = sought("PEER_RATHOLE", "rathole");

/** See README.md. */
export const rathole: Peer = {
  name: "rathole",
  proxies: "bytes",
  missing: missingOf(program),
  version: () => told(fileOf(program), ["--version"], /Build Version:\s+(\S+)/u),
  start: (target) =>
    standingOf(async (resources) => {
      const [control = 0, port = 0] = await freePorts(2);
      const folder = configured(resources, {
        "server.toml": `
[server]
bind_addr = "127.0.0.1:${control}"
default_token = "bench"
[server.services.bench]
bind_addr = "127.0.0.1:${port}"
`,
        "client.toml": `
[client]
remote_addr = "127.0.0.1:${control}"
default_token = "bench"
[client.services.bench]
local_addr = "127.0.0.1:${target}"
`,
      });
      const file = fileOf(program);
      const server = quietly(resources, { title: "rathole server", file, args: ["-s", join(folder, "server.toml")] });
      await server.listensOn(control);
      const client = quietly(resources, { title: "rathole client", file, args: ["-c", join(folder, "client.toml")] });
      const host = `127.0.0.1:${port}`;
      await answersOn({ port, host });
      return { port, host, pids: [server.pid, client.pid] };
    }),
};
