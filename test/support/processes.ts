// A server and a client as real processes in front of one target, for tests that read a process's memory, stop it, or
// kill it. Both speak JSON and are ended when the pair is disposed of.

import { startCaisson } from "./run.ts";
import type { CaissonProcess, RunOptions } from "./run.ts";

/** What is added to the two command lines, and to the processes. */
export interface PairOptions {
  readonly serve?: readonly string[];
  readonly http?: readonly string[];
  readonly serveProcess?: RunOptions;
  readonly httpProcess?: RunOptions;
}

/** A running pair. The tunnel is called `demo`, and is the catch-all. */
export class ProcessPair {
  readonly server: CaissonProcess;
  readonly client: CaissonProcess;
  /** Where visitors go. */
  readonly port: number;

  private constructor(server: CaissonProcess, client: CaissonProcess, port: number) {
    this.server = server;
    this.client = client;
    this.port = port;
  }

  /** Resolves when the tunnel stands. */
  static async start(targetPort: number, options: PairOptions = {}): Promise<ProcessPair> {
    const serveArgs = ["serve", "--json", "--listen", "127.0.0.1:0", "--catch-all", "demo", ...(options.serve ?? [])];
    const server = startCaisson(serveArgs, options.serveProcess);
    const url = new URL(String((await server.event("listening"))["url"]));
    const client = startClient(targetPort, Number(url.port), options);
    await client.event("tunnel");
    return new ProcessPair(server, client, Number(url.port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

/** One more `caisson http` process. It asks for the name `demo` unless `http` says otherwise. */
export function startClient(
  targetPort: number,
  serverPort: number,
  options: Pick<PairOptions, "http" | "httpProcess"> = {},
): CaissonProcess {
  const { http = [] } = options;
  const name = http.includes("--name") ? [] : ["--name", "demo"];
  const args = ["http", String(targetPort), "--json", "--server", `ws://127.0.0.1:${serverPort}`, ...name, ...http];
  return startCaisson(args, options.httpProcess);
}
