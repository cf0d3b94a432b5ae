// Reads a role's private listener in tests: the ledgers as JSON, and single samples of its metrics.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AdminQuestion, AdminReply } from "../../src/admin/admin-client.ts";
import { AdminClient } from "../../src/admin/admin-client.ts";
import type { AdminOptions } from "../../src/assemble/admin-options.ts";
import type { KindReport, ResourceReport } from "../../src/leaks/resource-report.ts";
import type { ResourceKind } from "../../src/lifecycle/resource.ts";
import { resourceKinds } from "../../src/lifecycle/resource.ts";

/** Asks one listener. */
export class AdminReader {
  readonly #client: AdminClient;

  /** `url` as roles tell it, `http://127.0.0.1:PORT`. */
  constructor(url: string, token: string) {
    const { hostname, port } = new URL(url);
    this.#client = new AdminClient({ host: hostname, port: Number(port) }, token);
  }

  /** Any question. */
  ask(path: string, question: AdminQuestion = {}): Promise<AdminReply> {
    return this.#client.ask(path, question);
  }

  /** The JSON of an answer that must have this status. */
  async json<T>(path: string, question: AdminQuestion & { readonly status?: number } = {}): Promise<T> {
    const { status = 200, ...asked } = question;
    const reply = await this.ask(path, asked);
    const text = reply.body.toString("utf8");
    assert.equal(reply.status, status, text);
    return JSON.parse(text) as T;
  }

  /** GET /debug/resources. */
  resources(): Promise<ResourceReport> {
    return this.json("/debug/resources");
  }

  /** GET /metrics, in the older text format unless OpenMetrics is asked for. */
  async metrics(accept = "text/plain"): Promise<string> {
    const reply = await this.ask("/metrics", { accept });
    assert.equal(reply.status, 200);
    return reply.body.toString("utf8");
  }

  /** Asks for so many major collections, one after the other. */
  async collect(times: number): Promise<void> {
    for (let n = 0; n < times; n += 1) await this.json("/debug/gc", { method: "POST" });
  }
}

/** Options for a private listener on a free port, with files of its own. */
export class PrivateAdmin {
  readonly #folder: string = mkdtempSync(join(tmpdir(), "caisson-admin-"));
  /** To be given to serve() or connect(). */
  readonly options: AdminOptions = {
    listen: "127.0.0.1:0",
    snapshotFolder: join(this.#folder, "snapshots"),
    onToken: (token) => void (this.token = token),
  };
  token = "";

  /** The same with a token file, so that several roles have one token. */
  withTokenFile(): AdminOptions {
    return { ...this.options, tokenFile: join(this.#folder, "token") };
  }

  /** Asks the listener of a role that was given {@link options}. */
  reader(role: { readonly admin: string }): AdminReader {
    return new AdminReader(role.admin, this.token);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One sample of a scrape, by its name and labels as written there; undefined if it is absent. */
export function sampleOf(metrics: string, series: string): number | undefined {
  const line = metrics.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1).split(" ")[0]);
}

/** The lines of a scrape that are samples. */
export function samplesOf(metrics: string): string[] {
  return metrics.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

/** Every broken law of a quiet role: opened = closed + live, closes add up, containers hold what is live. Empty if all hold. */
export function brokenLaws({ kinds }: ResourceReport): string[] {
  return resourceKinds.flatMap((kind) => brokenLawsOf(kind, kinds[kind]));
}

function brokenLawsOf(kind: ResourceKind, report: KindReport): string[] {
  const { opened, closed, live, held, closedBy, collectedUnclosed } = report;
  const byReason = Object.values(closedBy).reduce((sum, count) => sum + count, 0);
  const broken: string[] = [];
  if (opened !== closed + live || live < 0) broken.push(`${kind}: opened ${opened}, closed ${closed}, live ${live}`);
  if (byReason !== closed) broken.push(`${kind}: closed ${closed}, by reason ${byReason}`);
  if (held !== null && held !== live) broken.push(`${kind}: live ${live}, held ${held}`);
  if (collectedUnclosed > 0) broken.push(`${kind}: ${collectedUnclosed} were collected unclosed`);
  return broken;
}
