// frp: an HTTP proxy that routes by Host, over one multiplexed connection. Written in Go.

import { join } from "node:path";
import { answersOn } from "../contestants/answers-on.ts";
import { standingOf } from "../contestants/contestant.ts";
import { told } from "../contest/program-versions.ts";
import { freePorts } from "../harness/free-ports.ts";
import { frpClient, frpServer } from "./frp-configuration.ts";
import type { Peer, Sought } from "./peer.ts";
import { configured, fileOf, missingOf, quietly, sought } from "./peer.ts";

/** Its two programs, or why they are missing. */
export const frps: Sought = sought("PEER_FRPS", "frps");
export const frpc: Sought = sought("PEER_FRPC", "frpc");
const host = "bench.example";

/** See README.md. */
export const frp: Peer = {
  name: "frp",
  proxies: "HTTP",
  missing: missingOf(frps, frpc),
  version: () => told(fileOf(frps), ["--version"], /(\d+\.\d+\.\d+)/u),
  start: (target) =>
    standingOf(async (resources) => {
      const [control = 0, port = 0] = await freePorts(2);
      const folder = configured(resources, {
        "frps.toml": frpServer({ control, visitors: port }),
        "frpc.toml": frpClient(control, { target, hosts: [host] }),
      });
      const server = quietly(resources, { title: "frps", file: fileOf(frps), args: ["-c", join(folder, "frps.toml")] });
      await server.listensOn(control);
      const client = quietly(resources, { title: "frpc", file: fileOf(frpc), args: ["-c", join(folder, "frpc.toml")] });
      await answersOn({ port, host });
      return { port, host, pids: [server.pid, client.pid] };
    }),
};
