// Reads a Caisson process through its private listener: the ledgers, probes, operations and the size of a scrape.

import { AdminClient } from "../../../src/admin/admin-client.ts";
import type { AdminAddress } from "../../../src/admin/admin-address.ts";
import { parseAdminAddress } from "../../../src/assemble/admin-options.ts";
import { CaissonError } from "../../../src/lifecycle/errors.ts";
import type { KindSample, MemorySample, OperationSample } from "../verdict/sample.ts";
import type { JsonObject } from "./json-shape.ts";
import { numberOf, numbersOf, objectOf, parseObject } from "./json-shape.ts";

/** What GET /debug/resources tells. */
export interface LedgerReading {
  readonly kinds: Readonly<Record<string, KindSample>>;
  readonly probes: Readonly<Record<string, number>>;
  readonly operations: Readonly<Record<string, OperationSample>>;
  readonly handles: Readonly<Record<string, number>>;
  readonly memory: MemorySample;
}

/** What one answer of /metrics comes to. */
export interface ScrapeReading {
  readonly scrapeBytes: number;
  readonly series: number;
}

/** One private listener. */
export class AdminReader {
  readonly #client: AdminClient;

  constructor(url: string, token: string) {
    this.#client = new AdminClient(addressOf(url), token);
  }

  /** The ledgers as they stand. */
  async ledgers(): Promise<LedgerReading> {
    const answer = parseObject(await this.#ask("/debug/resources"), "/debug/resources");
    const memory = objectOf(answer["memory"], "memory");
    const bytes = (name: string): number => numberOf(memory[name], name);
    return {
      kinds: mapped(answer["kinds"], "kinds", kindOf),
      operations: mapped(answer["operations"], "operations", operationOf),
      probes: numbersOf(answer["probes"], "probes"),
      handles: numbersOf(answer["handles"], "handles"),
      memory: {
        heapUsed: bytes("heapUsed"),
        heapSpaces: {},
        external: bytes("external"),
        arrayBuffers: bytes("arrayBuffers"),
        rss: bytes("rss"),
      },
    };
  }

  /** Forces so many major collections, one at least; answers the heap in use after the last, in bytes. */
  async collectGarbage(times: number): Promise<number> {
    for (let n = 1; n < times; n += 1) await this.#ask("/debug/gc", "POST");
    const { after } = parseObject(await this.#ask("/debug/gc", "POST"), "/debug/gc");
    return numberOf(objectOf(after, "after")["heapUsed"], "heapUsed");
  }

  /** The version of the process's Node, such as v22.1.0. */
  async nodeVersion(): Promise<string> {
    const found = /caisson_build_info\{[^}]*node="(?<node>[^"]+)"/u.exec(await this.#ask("/metrics"));
    return found?.groups?.["node"] ?? process.version;
  }

  /** Scrapes /metrics. */
  async scrape(): Promise<ScrapeReading> {
    const text = await this.#ask("/metrics");
    const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
    return { scrapeBytes: Buffer.byteLength(text), series };
  }

  async #ask(path: string, method = "GET"): Promise<string> {
    const { status, body } = await this.#client.ask(path, { method });
    const text = body.toString("utf8");
    if (status !== 200) {
      throw new CaissonError("E_GATE", `the private listener answered ${status} to ${method} ${path}: ${text.trim()}`);
    }
    return text;
  }
}

/** Reads `http://host:port`, `host:port` or `unix:PATH`. Throws E_USAGE. */
function addressOf(text: string): AdminAddress {
  return parseAdminAddress(text.replace(/^http:\/\//u, "").replace(/\/$/u, ""));
}

function mapped<Value>(
  value: unknown,
  what: string,
  read: (entry: JsonObject) => Value,
): Readonly<Record<string, Value>> {
  const entries = Object.entries(objectOf(value, what));
  return Object.fromEntries(entries.map(([name, entry]) => [name, read(objectOf(entry, `${what} ${name}`))]));
}

function kindOf(entry: JsonObject): KindSample {
  const amount = (name: string): number => numberOf(entry[name], name);
  return {
    opened: amount("opened"),
    closed: amount("closed"),
    live: amount("live"),
    held: entry["held"] === null ? null : amount("held"),
    uncollected: amount("uncollected"),
    retained: amount("retained"),
    collectedUnclosed: amount("collectedUnclosed"),
    oldestSeconds: amount("oldestSeconds"),
  };
}

function operationOf(entry: JsonObject): OperationSample {
  return {
    pending: numberOf(entry["pending"], "pending"),
    abandoned: numberOf(entry["abandoned"], "abandoned"),
    oldestMs: numberOf(entry["oldestMs"], "oldestMs"),
  };
}
