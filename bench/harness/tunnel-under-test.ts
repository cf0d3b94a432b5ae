// A server and a client, each a process of its own, in front of an origin: what the benches measure the CPU time of. Two
// tunnels may share both processes, so that what a process is by luck is the same for both.

import { AdminClient } from "../../src/admin/admin-client.ts";
import { sendLoad } from "./load.ts";
import type { RolePlace, TracingOrder } from "./role-orders.ts";
import { RoleProcess } from "./role-process.ts";

/** How it is set up. */
export interface TunnelOptions {
  /** Where the origin listens. */
  readonly origin: number;
  /** For files; the caller removes it. */
  readonly folder: string;
  /** Private listeners on both sides, with all that they watch. */
  readonly admin: boolean;
  /** Flags for both processes. */
  readonly nodeFlags?: readonly string[];
  /** How both roles are traced. */
  readonly tracing?: TracingOrder | undefined;
}

/** CPU time per request in microseconds. */
export interface CpuPerRequest {
  readonly server: number;
  readonly client: number;
}

/** A running pair. */
export class TunnelUnderTest {
  readonly #server: RoleProcess;
  readonly #client: RoleProcess;
  readonly #options: TunnelOptions;
  #place: RolePlace = { url: "", admin: "", token: "" };

  private constructor(options: TunnelOptions, host?: TunnelUnderTest) {
    this.#options = options;
    this.#server = host ? host.#server : new RoleProcess(options.nodeFlags);
    this.#client = host ? host.#client : new RoleProcess(options.nodeFlags);
  }

  /** Starts both; resolves when the tunnel stands. */
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

  /** A second tunnel, of a server and a client of its own in this one's processes; it ends with this one. */
  async beside(options: Pick<TunnelOptions, "admin" | "tracing">): Promise<TunnelUnderTest> {
    const tunnel = new TunnelUnderTest({ ...this.#options, ...options }, this);
    await tunnel.#stand();
    return tunnel;
  }

  /** The server's private listener. */
  admin(): AdminClient {
    const { hostname, port } = new URL(this.#place.admin);
    return new AdminClient({ host: hostname, port: Number(port) }, this.#place.token);
  }

  /** Sends requests, all answers checked, and tells what they cost. */
  async measure(load: { readonly requests: number; readonly connections: number }): Promise<CpuPerRequest> {
    const before = await this.#cpu();
    await sendLoad({ ...load, port: Number(new URL(this.#place.url).port), host: "bench.localhost" });
    const after = await this.#cpu();
    const perRequest = (ms: number): number => (ms * 1000) / load.requests;
    return { server: perRequest(after.server - before.server), client: perRequest(after.client - before.client) };
  }

  /** Sends the spans that wait in both processes, and tells what that cost, in milliseconds of CPU time. */
  async flush(): Promise<number> {
    const before = await this.#cpu();
    const server = await this.#server.ask<"flush">({ do: "flush" });
    const client = await this.#client.ask<"flush">({ do: "flush" });
    return server.ms - before.server + client.ms - before.client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }

  async #stand(): Promise<void> {
    const { origin: target, folder, admin } = this.#options;
    const tracing = this.#options.tracing ? { tracing: this.#options.tracing } : {};
    this.#place = await this.#server.ask<"serve">({ do: "serve", admin, folder, ...tracing });
    const server = this.#place.url.replace("http", "ws");
    await this.#client.ask<"connect">({ do: "connect", admin, folder, ...tracing, server, target });
  }

  async #cpu(): Promise<{ readonly server: number; readonly client: number }> {
    const server = await this.#server.ask<"cpu">({ do: "cpu" });
    const client = await this.#client.ask<"cpu">({ do: "cpu" });
    return { server: server.ms, client: client.ms };
  }
}
