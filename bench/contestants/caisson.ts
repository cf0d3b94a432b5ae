// Caisson as its user starts it: the built command line, a server and a client, each with its defaults. Only what one
// machine forces is set: every visitor here has the same address, and ports are those that are free.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AsyncResources } from "../harness/async-resources.ts";
import { freePort } from "../harness/free-ports.ts";
import { Program } from "../harness/program.ts";
import { answersOn } from "./answers-on.ts";
import type { Contestant } from "./contestant.ts";
import { standingOf } from "./contestant.ts";

const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const tunnelName = "bench";
const oneAddress: readonly string[] = ["--max-visitors-per-address", "100000", "--max-aborts", "1000000"];

/** `caisson http`. */
export const caisson: Contestant = {
  name: "Caisson",
  missing: undefined,
  start: (target) =>
    standingOf(async (resources) => {
      const { server, port, env } = await startServer(resources, []);
      const client = startClient(resources, { env, port, args: ["http", String(target), "--name", tunnelName] });
      const host = `${tunnelName}.localhost`;
      await answersOn({ port, host });
      return { port, host, pids: [server.pid, client.pid] };
    }),
};

/** `caisson tcp`. */
export const caissonTcp: Contestant = {
  name: "Caisson",
  missing: undefined,
  start: (target) =>
    standingOf(async (resources) => {
      const publicPort = await freePort();
      const { server, port, env } = await startServer(resources, ["--tcp-ports", `${publicPort}-${publicPort}`]);
      const client = startClient(resources, { env, port, args: ["tcp", String(target), "--port", String(publicPort)] });
      await client.listensOn(publicPort);
      return { port: publicPort, host: `127.0.0.1:${publicPort}`, pids: [server.pid, client.pid] };
    }),
};

interface Server {
  readonly server: Program;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

async function startServer(resources: AsyncResources, flags: readonly string[]): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-"));
  resources.after(() => rmSync(folder, { recursive: true, force: true }));
  const env = { XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder };
  const listen = ["serve", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
  const server = resources.own(
    new Program({
      title: "caisson serve",
      file: process.execPath,
      args: [main, ...listen, ...oneAddress, ...flags],
      env,
    }),
  );
  const port = await server.line(portIn);
  return { server, port, env };
}

function startClient(
  resources: AsyncResources,
  { args, port, env }: Pick<Server, "port" | "env"> & { readonly args: readonly string[] },
): Program {
  return resources.own(
    new Program({
      title: "caisson client",
      file: process.execPath,
      args: [main, ...args, "--server", `ws://127.0.0.1:${port}`],
      env,
      // It writes a line per request; nobody reads it.
      readsOutput: false,
    }),
  );
}

function portIn(line: string): number | undefined {
  const url = /^\{"event":"listening".*?"url":"([^"]+)"/u.exec(line)?.[1];
  return url === undefined ? undefined : Number(new URL(url).port);
}
