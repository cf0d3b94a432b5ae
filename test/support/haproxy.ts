// A real haproxy before several servers. It asks each one's private listener whether it is ready, and sends visitors
// only to those that are. See debian.ts for what happens where it is missing.

import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "./debian.ts";
import { freePort } from "./free-port.ts";

/** Where one server listens. */
export interface Backend {
  readonly port: number;
  readonly adminPort: number;
}

/** A running haproxy. */
export class Haproxy {
  /** Where visitors go. */
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.port = port;
  }

  /** Starts it; resolves at once. */
  static async start(backends: readonly Backend[]): Promise<Haproxy> {
    const folder = mkdtempSync(join(tmpdir(), "caisson-haproxy-"));
    const port = await freePort();
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, configuration(port, backends));
    // -db keeps it in the foreground, where it is our child and ends with its pid.
    return new Haproxy(
      spawn(findProgram("haproxy") ?? "", ["-db", "-q", "-f", file], { stdio: "ignore" }),
      folder,
      port,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The settings that docs/deploying.md recommends. */
function configuration(port: number, backends: readonly Backend[]): string {
  const servers = backends.map(
    (backend, index) =>
      `  server s${index} 127.0.0.1:${backend.port} check port ${backend.adminPort} inter 100ms fall 2 rise 2`,
  );
  return [
    "global",
    "  maxconn 200",
    "defaults",
    "  mode http",
    "  timeout connect 2s",
    // Else a busy machine looks like a server that is down.
    "  timeout check 1s",
    "  timeout client 30s",
    "  timeout server 30s",
    "  retries 3",
    "  option redispatch",
    "  retry-on conn-failure",
    "frontend visitors",
    `  bind 127.0.0.1:${port}`,
    "  default_backend caisson",
    "backend caisson",
    "  balance roundrobin",
    "  http-response set-header Served-By %s",
    "  option httpchk",
    "  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host 127.0.0.1",
    "  http-check expect status 200",
    ...servers,
    "",
  ].join("\n");
}
