// The server as its user starts it: the built command line with its defaults, alone in a process, private listener on.
// Only what one machine forces is set: everybody here is one address. It can be killed and started again at its port.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NodeProcess } from "../gate/processes/node-process.ts";
import type { ListeningServer } from "../gate/processes/server-process.ts";
import { listeningIn } from "../gate/processes/server-process.ts";
import { AdminReader } from "../gate/readings/admin-reader.ts";
import type { ProcessMemory } from "./process-reading.ts";
import { cpuMsOf, memoryOf } from "./process-reading.ts";

/** How it is started. */
export interface CaissonServerOptions {
  /** For its state and token; the caller removes it. Servers of the same folder know each other's resume keys. */
  readonly folder: string;
  /** Default 0: any that is free. */
  readonly port?: number;
  /** Gives clients an address of their own, at this port; 0: any that is free. Default: they connect where visitors do. */
  readonly clientsPort?: number | undefined;
  /** More flags of `caisson serve`. */
  readonly flags?: readonly string[];
  readonly nodeFlags?: readonly string[];
}

const serverMain = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const oneAddress: readonly string[] = ["--max-visitors-per-address", "100000", "--max-aborts", "1000000"];

/** One running server. */
export class CaissonServer {
  readonly process: NodeProcess;
  /** Its public URL, `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly admin: AdminReader;

  readonly #clientsUrl: string;

  private constructor(process: NodeProcess, urls: ListeningServer, admin: AdminReader) {
    this.process = process;
    this.url = urls.url;
    this.#clientsUrl = urls.clients;
    this.admin = admin;
  }

  /** Starts it; resolves when it listens. Rejects with E_GATE. */
  static async start(options: CaissonServerOptions): Promise<CaissonServer> {
    const { folder, port = 0, clientsPort, flags = [], nodeFlags = [] } = options;
    const door = clientsPort === undefined ? [] : ["--listen-clients", `127.0.0.1:${clientsPort}`];
    const tokenFile = join(folder, "admin-token");
    const server = new NodeProcess({
      title: "the server under test",
      nodeFlags,
      script: serverMain,
      args: [
        ["serve", "--json", "--log-level", "error", "--listen", `127.0.0.1:${port}`, "--admin", "127.0.0.1:0"],
        ["--admin-token-file", tokenFile, ...oneAddress, ...door, ...flags],
      ].flat(),
      env: { XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder },
    });
    try {
      const urls = await server.line(listeningIn);
      return new CaissonServer(server, urls, new AdminReader(urls.admin, readFileSync(tokenFile, "utf8").trim()));
    } catch (error) {
      await server.kill();
      throw error;
    }
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** The port where clients connect. */
  get clientsPort(): number {
    return Number(new URL(this.#clientsUrl).port);
  }

  /** Where clients connect. */
  get socketUrl(): string {
    return this.#clientsUrl.replace(/^http/u, "ws").replace(/\/$/u, "");
  }

  memory(): ProcessMemory {
    return memoryOf(this.process.pid);
  }

  /** Processor time so far, in milliseconds. */
  cpuMs(): number {
    return cpuMsOf(this.process.pid);
  }

  /** As `kill -9` does. */
  async kill(): Promise<void> {
    await this.process.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.kill();
  }
}
