// piko in bench:idle: one agent with many listeners, each of which has a connection of its own to the server.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { AsyncResources } from "../harness/async-resources.ts";
import { freePorts } from "../harness/free-ports.ts";
import { pikoProgram } from "../peers/piko.ts";
import { fileOf, missingOf, quietly } from "../peers/peer.ts";
import type { IdleContestant, IdleGround, IdleServer } from "./contestant.ts";
import { collectedInGo, IdlePeer, told } from "./idle-peer.ts";

/** What the server and the one agent have descriptors for. */
const mostTunnels = 10_000;

/** piko with a session for each tunnel. */
export const pikoContestant: IdleContestant = {
  name: "piko",
  tunnelsPerSession: 1,
  mostTunnels,
  missing: missingOf(pikoProgram),
  start,
};

async function start({ folder, target }: IdleGround): Promise<IdleServer> {
  const resources = new AsyncResources();
  const [visitors = 0, upstream = 0, admin = 0, gossip = 0, agent = 0] = await freePorts(5);
  const bind = (name: string, to: number): readonly string[] => [`--${name}.bind-addr`, `127.0.0.1:${to}`];
  const binds = [bind("proxy", visitors), bind("upstream", upstream), bind("admin", admin)];
  const args = ["server", ...binds.flat(), ...bind("cluster.gossip", gossip)];
  const server = quietly(resources, { title: "piko server", file: fileOf(pikoProgram), args });
  const url = `http://127.0.0.1:${admin}`;
  try {
    await server.listensOn(admin);
    await server.listensOn(upstream);
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
  return new IdlePeer({
    server,
    *clients(tunnels) {
      const file = join(folder, "agent.yaml");
      writeFileSync(file, agentText(tunnels, { target, upstream, agent }));
      const words = ["agent", "start", "--config.path", file];
      yield quietly(resources, { title: "piko agent", file: fileOf(pikoProgram), args: words });
    },
    standing: async () => (await told(`${url}/status/upstream/endpoints`)).match(/:1\b/gu)?.length ?? 0,
    collectGarbage: () => collectedInGo(url),
    release: () => resources[Symbol.asyncDispose](),
  });
}

function agentText(
  tunnels: number,
  { target, upstream, agent }: { readonly target: number; readonly upstream: number; readonly agent: number },
): string {
  const listener = (_: unknown, index: number): string =>
    `- {endpoint_id: bench-${index}, addr: "127.0.0.1:${target}", timeout: 10s, access_log: {level: info}}`;
  return `
connect: {url: "http://127.0.0.1:${upstream}"}
server: {bind_addr: "127.0.0.1:${agent}"}
listeners:
${Array.from({ length: tunnels }, listener).join("\n")}
`;
}
