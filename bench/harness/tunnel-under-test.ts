// A server and a client, each a process of its own, in front of an origin: what the benches measure the CPU time of.

import { AdminClient } from "../../src/admin/admin-client.ts";
import { sendLoad } from "./load.ts";
import type { RolePlace } from "./role-orders.ts";
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
  #place: RolePlace = { url: "", admin: "", token: "" };

  private constructor(nodeFlags: readonly string[]) {
    this.#server = new RoleProcess(nodeFlags);
    this.#client = new RoleProcess(nodeFlags);
  }

  /** Starts both; resolves when the tunnel stands. */
  static async start({ origin, folder, admin, nodeFlags = [] }: TunnelOptions): Promise<TunnelUnderTest> {
    const tunnel = new TunnelUnderTest(nodeFlags);
    try {
      tunnel.#place = await tunnel.#server.ask<"serve">({ do: "serve", admin, folder });
      const server = tunnel.#place.url.replace("http", "ws");
      await tunnel.#client.ask<"connect">({ do: "connect", admin, folder, server, target: origin });
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

  /** Sends requests, all answers checked, and tells what they cost. */
  async measure(load: { readonly requests: number; readonly connections: number }): Promise<CpuPerRequest> {
    const before = await this.#cpu();
    await sendLoad({ ...load, port: Number(new URL(this.#place.url).port), host: "bench.localhost" });
    const after = await this.#cpu();
    const perRequest = (ms: number): number => (ms * 1000) / load.requests;
    return { server: perRequest(after.server - before.server), client: perRequest(after.client - before.client) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }

  async #cpu(): Promise<{ readonly server: number; readonly client: number }> {
    const server = await this.#server.ask<"cpu">({ do: "cpu" });
    const client = await this.#client.ask<"cpu">({ do: "cpu" });
    return { server: server.ms, client: client.ms };
  }
}
