// A real Prometheus over listeners on 127.0.0.1, and promtool. See debian.ts for what happens where they are missing.

import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "./debian.ts";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

/** Starting takes a while on a busy machine. Milliseconds. */
const patienceMs = 45_000;

/** A running Prometheus that scrapes five times a second. */
export class Prometheus {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #port: number;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.#port = port;
  }

  /** Starts it; resolves at once. `targets` are ports by job name. */
  static start(targets: Readonly<Record<string, number>>): Promise<Prometheus> {
    const jobs = Object.entries(targets).flatMap(([job, port]) => [
      `  - job_name: ${job}`,
      "    static_configs:",
      `      - targets: ["127.0.0.1:${port}"]`,
    ]);
    const config = ["global: { scrape_interval: 500ms, scrape_timeout: 500ms }", "scrape_configs:", ...jobs, ""];
    return Prometheus.startWith({ "prometheus.yml": config.join("\n") });
  }

  /** Starts it in a folder with these files, one of which is `prometheus.yml`; resolves at once. */
  static async startWith(files: Readonly<Record<string, string>>): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), "caisson-prometheus-"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const port = await freePort();
    const flags = [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--enable-feature=exemplar-storage",
      "--log.level=error",
    ];
    return new Prometheus(spawn(findProgram("prometheus") ?? "", flags, { stdio: "ignore" }), folder, port);
  }

  /** Waits until the last scrape of a job succeeded. */
  async up(job: string): Promise<void> {
    const isUp = async (): Promise<boolean> => (await this.values(`up{job="${job}"}`)).includes("1");
    await until(isUp, { what: `Prometheus scrapes ${job}`, timeoutMs: patienceMs });
  }

  /** The values that a query finds. */
  async values(query: string): Promise<string[]> {
    const text = await this.get(`/api/v1/query?query=${encodeURIComponent(query)}`);
    return [...text.matchAll(/"value":\[[\d.]+,"([^"]+)"\]/gu)].map((match) => match[1] ?? "");
  }

  /** The `data` of an answer of its API; undefined while it starts. Throws what Prometheus complains of. */
  async data(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const text = await this.get(`/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    if (text === "") return undefined;
    const answer = JSON.parse(text) as { readonly data?: unknown; readonly error?: string };
    if (answer.error !== undefined) throw new Error(`${answer.error}: ${JSON.stringify(parameters)}`);
    return answer.data;
  }

  /** Any path of its API; empty while it starts. */
  async get(path: string): Promise<string> {
    try {
      return await (await fetch(`http://127.0.0.1:${this.#port}${path}`)).text();
    } catch {
      return "";
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** What `promtool check metrics` has against a scrape in text format; empty if nothing. */
export function promtoolComplaints(metrics: string): string {
  const { stdout, stderr, status } = spawnSync(findProgram("promtool") ?? "", ["check", "metrics"], {
    input: metrics,
    encoding: "utf8",
  });
  return status === 0 ? `${stdout}${stderr}` : `status ${String(status)}: ${stdout}${stderr}`;
}
