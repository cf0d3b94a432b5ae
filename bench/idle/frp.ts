// frp in bench:idle: a client for each tunnel, as ours have, and all tunnels of one client. Its server's dashboard tells what
// stands, and collects garbage; it is the only thing here that frp does not do by default.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { AsyncResources } from "../harness/async-resources.ts";
import { freePorts } from "../harness/free-ports.ts";
import { frpClient, frpServer } from "../peers/frp-configuration.ts";
import { frpc, frps } from "../peers/frp.ts";
import { fileOf, missingOf, quietly } from "../peers/peer.ts";
import type { Program } from "../harness/program.ts";
import type { IdleContestant, IdleGround, IdleServer } from "./contestant.ts";
import { collectedInGo, IdlePeer, told } from "./idle-peer.ts";

/** A client is a process of 20 MB, of which little is shared. */
const mostClients = 250;

/** What it is called with a client for each tunnel. */
export const frpName = "frp";

/** frp with so many tunnels at most, of one client each or all of one. */
export function frpContestant(has: "a client each" | "one client"): IdleContestant {
  const isEach = has === "a client each";
  return {
    name: isEach ? frpName : "frp, one session",
    tunnelsPerSession: isEach ? 1 : 10_000,
    mostTunnels: isEach ? mostClients : 10_000,
    missing: missingOf(frps, frpc),
    start: (ground) => start(ground, isEach),
  };
}

async function start({ folder, target }: IdleGround, isEach: boolean): Promise<IdleServer> {
  const resources = new AsyncResources();
  const [control = 0, visitors = 0, dashboard = 0] = await freePorts(3);
  const file = join(folder, "frps.toml");
  writeFileSync(file, frpServer({ control, visitors, dashboard }));
  const server = quietly(resources, { title: "frps", file: fileOf(frps), args: ["-c", file] });
  const url = `http://127.0.0.1:${dashboard}`;
  const client = (tunnels: readonly number[]): Program => {
    const own = join(folder, `frpc-${tunnels[0] ?? 0}.toml`);
    writeFileSync(own, frpClient(control, { target, hosts: tunnels.map((index) => `bench-${index}.example`) }));
    return quietly(resources, { title: "frpc", file: fileOf(frpc), args: ["-c", own] });
  };
  try {
    // A client whose first login finds nobody ends.
    await server.listensOn(dashboard);
    await server.listensOn(control);
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
  return new IdlePeer({
    server,
    *clients(tunnels) {
      const all = Array.from({ length: tunnels }, (_, index) => index);
      if (!isEach) yield client(all);
      else for (const index of all) yield client([index]);
    },
    standing: async () => Number(/"http":(\d+)/u.exec(await told(`${url}/api/serverinfo`))?.[1] ?? 0),
    collectGarbage: () => collectedInGo(url),
    release: () => resources[Symbol.asyncDispose](),
  });
}
