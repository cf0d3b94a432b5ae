// Our own tunnels for bench:idle: the server as a user starts it, and as many clients as one process can have.

import { CaissonError } from "../../src/lifecycle/errors.ts";
import { CaissonServer } from "../harness/caisson-server.ts";
import { RoleProcess } from "../harness/role-process.ts";
import type { IdleContestant, IdleGround, IdleServer } from "./contestant.ts";

/** Sessions of one client process: a process may have 20,000 descriptors on common machines, often fewer. */
const sessionsPerProcess = 5_000;
/** Forced collections: a resource is gone for good after some. */
const collections = 4;
/** How long the server may take to notice that all have left, in milliseconds. */
const partingMs = 30_000;

/** Caisson with so many tunnels in each session. */
export function caissonContestant(tunnelsPerSession: number): IdleContestant {
  return {
    name: tunnelsPerSession === 1 ? "caisson" : `caisson, ${tunnelsPerSession} tunnels a session`,
    tunnelsPerSession,
    mostTunnels: Number.MAX_SAFE_INTEGER,
    missing: undefined,
    start: (ground) => IdleCaisson.start(ground, tunnelsPerSession),
  };
}

class IdleCaisson implements IdleServer {
  readonly #server: CaissonServer;
  readonly #clients: RoleProcess[] = [];
  readonly #target: number;
  readonly #tunnelsPerSession: number;

  private constructor(server: CaissonServer, how: { readonly target: number; readonly tunnelsPerSession: number }) {
    this.#server = server;
    this.#target = how.target;
    this.#tunnelsPerSession = how.tunnelsPerSession;
  }

  static async start({ folder, target }: IdleGround, tunnelsPerSession: number): Promise<IdleCaisson> {
    const flags = tunnelsPerSession === 1 ? [] : ["--max-tunnels", String(tunnelsPerSession)];
    return new IdleCaisson(await CaissonServer.start({ folder, flags }), { target, tunnelsPerSession });
  }

  get pid(): number {
    return this.#server.process.pid;
  }

  async gather(tunnels: number): Promise<void> {
    const tunnelsEach = this.#tunnelsPerSession;
    const orders: Promise<unknown>[] = [];
    for (let left = Math.ceil(tunnels / tunnelsEach); left > 0; left -= sessionsPerProcess) {
      const clients = new RoleProcess();
      this.#clients.push(clients);
      const sessions = Math.min(left, sessionsPerProcess);
      const crowd = { do: "crowd", keepAlive: "usual", sessions, tunnelsEach } as const;
      orders.push(clients.ask<"crowd">({ ...crowd, server: this.#server.socketUrl, target: this.#target }));
    }
    await Promise.all(orders);
    const live = await this.#live("tunnel");
    // Whole sessions: the last one is not left half empty.
    const expected = Math.ceil(tunnels / tunnelsEach) * tunnelsEach;
    if (live !== expected) throw new CaissonError("E_GATE", `the server has ${live} of ${expected} tunnels`);
  }

  async disperse(): Promise<void> {
    const leaving = this.#clients.splice(0);
    await Promise.all(leaving.map(async (clients) => clients.ask<"disperse">({ do: "disperse" })));
    await Promise.all(leaving.map(async (clients) => clients[Symbol.asyncDispose]()));
    const patientUntilMs = performance.now() + partingMs;
    while ((await this.#live("session_socket")) > 0) {
      if (performance.now() > patientUntilMs) throw new CaissonError("E_GATE", "clients have left, sessions have not");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async collectGarbage(): Promise<number> {
    return this.#server.admin.collectGarbage(collections);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map(async (clients) => clients[Symbol.asyncDispose]()));
    await this.#server[Symbol.asyncDispose]();
  }

  async #live(kind: string): Promise<number> {
    return (await this.#server.admin.ledgers()).kinds[kind]?.live ?? 0;
  }
}
