// nginx in front of the target: one, and two in a row, which is what a tunnel is. Each is an instance of its own with one
// worker, set up as somebody would who wants it fast: connections to the next hop are kept, nothing is logged, and bodies
// are passed on as they come, without a file in between, as a tunnel passes them on.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AsyncResources } from "../harness/async-resources.ts";
import { findProgram } from "../harness/find-program.ts";
import { freePort } from "../harness/free-ports.ts";
import { Program } from "../harness/program.ts";
import type { Contestant, Standing } from "./contestant.ts";
import { standingOf } from "./contestant.ts";
import { httpProxy, nginxConfiguration, streamModule, streamProxy } from "./nginx-configuration.ts";

const missing = findProgram("nginx") === undefined ? "needs nginx: apt-get install -y nginx" : undefined;
const missingStream =
  missing ??
  (streamModule() === undefined ? "needs its stream module: apt-get install -y libnginx-mod-stream" : undefined);

/** One HTTP proxy. */
export const oneNginx: Contestant = { name: "one nginx", missing, start: (target) => chain(target, [httpProxy]) };

/** Two in a row: the yardstick. */
export const twoNginx: Contestant = {
  name: "two nginx",
  missing,
  start: (target) => chain(target, [httpProxy, httpProxy]),
};

/** One that passes on bytes without looking at them. */
export const oneNginxStream: Contestant = {
  name: "one nginx",
  missing: missingStream,
  start: (target) => chain(target, [streamProxy]),
};

/** Two of those in a row. */
export const twoNginxStream: Contestant = {
  name: "two nginx",
  missing: missingStream,
  start: (target) => chain(target, [streamProxy, streamProxy]),
};

/** Starts an nginx with this configuration, and waits until it listens. */
export async function startNginx(
  resources: AsyncResources,
  { port, blocks }: { readonly port: number; readonly blocks: (folder: string) => string },
): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-nginx-"));
  resources.after(() => rmSync(folder, { recursive: true, force: true }));
  // Where it is started by root, its worker is somebody else.
  chmodSync(folder, 0o755);
  const file = join(folder, "nginx.conf");
  writeFileSync(file, nginxConfiguration(folder, blocks(folder)));
  const args = ["-p", folder, "-c", file, "-e", join(folder, "error.log")];
  const nginx = resources.own(new Program({ title: "nginx", file: findProgram("nginx") ?? "nginx", args }));
  await nginx.listensOn(port);
  return nginx;
}

type ProxyBlock = (hop: { readonly port: number; readonly next: number; readonly folder: string }) => string;

/** The proxies, the visitors' first. */
function chain(target: number, proxies: readonly ProxyBlock[]): Promise<Standing> {
  return standingOf(async (resources) => {
    const pids: number[] = [];
    let next = target;
    for (const proxy of proxies.toReversed()) {
      const port = await freePort();
      const hop = { port, next };
      const nginx = await startNginx(resources, { port, blocks: (folder) => proxy({ ...hop, folder }) });
      pids.push(nginx.pid);
      next = port;
    }
    return { port: next, host: `127.0.0.1:${next}`, pids };
  });
}
