// The conservation law under a storm, read where operators read it: through the private listeners of server and clients,
// which are scraped all the while.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaissonServer } from "../../src/assemble/serve.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { runChaos } from "../leak/chaos.ts";
import type { ChaosSides } from "../leak/chaos.ts";
import type { AdminReader } from "../support/admin-reader.ts";
import { brokenLaws, PrivateAdmin } from "../support/admin-reader.ts";
import { until } from "../support/until.ts";

// Replay a failure with the seed that its name shows: CAISSON_CHAOS_SEED=N npm test -- accounting-chaos
const seed = Number(process.env["CAISSON_CHAOS_SEED"] ?? Date.now() % 1_000_000);

type Role = Pick<CaissonServer, "admin">;

/** Those that have a private listener now. */
function rolesOf(sides: ChaosSides): Role[] {
  return [sides.server, ...sides.clients()].filter(({ admin }) => admin !== "");
}

/** Scrapes whoever is there, one after the other, until told to stop. */
class Scraper {
  scrapes = 0;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();
  readonly #admin: PrivateAdmin;

  constructor(admin: PrivateAdmin) {
    this.#admin = admin;
  }

  start(sides: ChaosSides): void {
    this.#running = this.#run(sides);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  readers(sides: ChaosSides): AdminReader[] {
    return rolesOf(sides).map((role) => this.#admin.reader(role));
  }

  /** Whether every law holds where this role tells of it; true for a client that has ended meanwhile. */
  async isBalanced(role: Role, sides: ChaosSides): Promise<boolean> {
    try {
      return brokenLaws(await this.#admin.reader(role).resources()).length === 0;
    } catch (error) {
      if (error instanceof CaissonError && !rolesOf(sides).includes(role)) return true;
      throw error;
    }
  }

  async #run(sides: ChaosSides): Promise<void> {
    while (!this.#stopped) {
      for (const reader of this.readers(sides)) await this.#scrape(reader);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Clients come and go: only the server must always answer, and its answers are looked at when it is quiet. */
  async #scrape(reader: AdminReader): Promise<void> {
    try {
      const text = await reader.metrics("application/openmetrics-text");
      assert.ok(text.endsWith("# EOF\n"));
      await reader.resources();
      this.scrapes += 1;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
  }
}

test(
  `1,500 random operations with admin on both sides, scraped meanwhile (seed ${seed})`,
  { timeout: 300_000 },
  async () => {
    using admin = new PrivateAdmin();
    // One token for all: they come and go too quickly for each to have its own.
    const options = admin.withTokenFile();
    await using scraper = new Scraper(admin);
    let clientsSeen = 0;
    const result = await runChaos({
      seed,
      operations: 1_500,
      serve: { admin: options },
      connect: { admin: options },
      onStart: (sides) => scraper.start(sides),
      onQuiet: async (_, sides) => {
        const roles = rolesOf(sides);
        clientsSeen += roles.length - 1;
        for (const role of roles) {
          const balanced = (): Promise<boolean> => scraper.isBalanced(role, sides);
          await until(balanced, { what: "opened = closed + live, and held = live" });
        }
      },
    });
    assert.ok(result.answered > 100, `only ${result.answered} requests were answered`);
    assert.ok(clientsSeen > 0 && scraper.scrapes > 20, `${clientsSeen} clients, ${scraper.scrapes} scrapes`);
  },
);
