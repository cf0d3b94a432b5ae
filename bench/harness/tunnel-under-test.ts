// A server and a client, each a process of its own, in front of an origin, with visitors who stay: what the benches measure
// the CPU time of. It owns both processes and all connections; what sends the load is never counted.

import { AdminClient } from "../../src/admin/admin-client.ts";
import { Visitors } from "./load.ts";
import type { RolePlace, TracingOrder } from "./role-orders.ts";
import { RoleProcess } from "./role-process.ts";

/** How it is set up. */
export interface TunnelOptions {
  /** Where the origin listens. */
  readonly origin: number;
  /** For files; the caller removes it. */
  readonly folder: string;
  /** Visitors, each with one request in flight. */
  readonly connections: number;
  /** Private listeners on both sides, with all that they watch. */
  readonly admin: boolean;
  /** Flags for both processes. */
  readonly nodeFlags?: readonly string[];
  /** How both roles are traced. */
  readonly tracing?: TracingOrder | undefined;
}

/** CPU time of both processes, since they began in milliseconds, or per request in microseconds. */
export interface CpuTimes {
  readonly server: number;
  readonly client: number;
}

/** A running pair. */
export class TunnelUnderTest {
  readonly #server: RoleProcess;
  readonly #client: RoleProcess;
  readonly #options: TunnelOptions;
  #place: RolePlace = { url: "", admin: "", token: "" };
  #visitors: Visitors | undefined;

  private constructor(options: TunnelOptions) {
    this.#options = options;
    this.#server = new RoleProcess(options.nodeFlags);
    this.#client = new RoleProcess(options.nodeFlags);
  }

  /** Starts both; resolves when the tunnel stands and its visitors are connected. */
  static async start(options: TunnelOptions): Promise<TunnelUnderTest> {
    const tunnel = new TunnelUnderTest(options);
    try {
      await tunnel.#stand();
      return tunnel;
    } catch (error) {
      await tunnel[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The server's private listener. */
  admin(): AdminClient {
    const { hostname, port } = new URL(this.#place.admin);
    return new AdminClient({ host: hostname, port: Number(port) }, this.#place.token);
  }

  /** Sends requests, all answers checked. */
  async send(requests: number): Promise<void> {
    await this.#visitors?.send(requests);
  }

  /** CPU time used so far, in milliseconds. */
  async cpu(): Promise<CpuTimes> {
    const [server, client] = await Promise.all([
      this.#server.ask<"cpu">({ do: "cpu" }),
      this.#client.ask<"cpu">({ do: "cpu" }),
    ]);
    return { server: server.ms, client: client.ms };
  }

  /** From now on both roles record all requests, or the share that they were told of. Without tracing it means nothing. */
  async record(which: "all" | "share"): Promise<void> {
    await this.#server.ask<"record">({ do: "record", which });
    await this.#client.ask<"record">({ do: "record", which });
  }

  /** Resolves when the spans that waited in both processes are sent. */
  async flush(): Promise<void> {
    await this.#server.ask<"flush">({ do: "flush" });
    await this.#client.ask<"flush">({ do: "flush" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#visitors?.[Symbol.dispose]();
    await this.#client[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }

  async #stand(): Promise<void> {
    const { origin: target, folder, admin, connections } = this.#options;
    const tracing = this.#options.tracing ? { tracing: this.#options.tracing } : {};
    this.#place = await this.#server.ask<"serve">({ do: "serve", admin, folder, ...tracing });
    const server = this.#place.url.replace("http", "ws");
    await this.#client.ask<"connect">({ do: "connect", admin, folder, ...tracing, server, target });
    const port = Number(new URL(this.#place.url).port);
    this.#visitors = await Visitors.open({ port, host: "bench.localhost", connections });
  }
}
