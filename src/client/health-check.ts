// Asks one target again and again whether it is well: by an HTTP request, or by a connection alone. It never has more than
// one question under way, each ends within its time, and only a run of equal answers changes the verdict.

import type { Deadline } from "../lifecycle/deadlines.ts";
import { messageOf } from "../lifecycle/errors.ts";
import type { ConnectionUser, LocalConnection } from "./local-connection.ts";
import type { LocalPool } from "./local-pool.ts";

/** How a target is asked. */
export interface HealthOptions {
  /** The path of a GET that must be answered by 200 to 399; undefined to be content with a connection. */
  readonly path?: string;
  /** Between the end of one question and the next, in milliseconds; 100 and up. Default 10,000. */
  readonly intervalMs?: number;
  /** For one question, in milliseconds. Default 2,000. */
  readonly timeoutMs?: number;
  /** So many failures in a row take the tunnel out of service. Default 3. */
  readonly failAfter?: number;
  /** So many good answers in a row put it back. Default 2. */
  readonly passAfter?: number;
}

/** Options of {@link HealthCheck}. */
export interface HealthCheckOptions {
  readonly pool: LocalPool;
  readonly health: HealthOptions;
  /** The verdict has changed; `why` says in words what was wrong last, empty for a good answer. */
  readonly onVerdict: (inService: boolean, why: string) => void;
}

/** Longer first lines are no HTTP. Bytes. */
const maxLineBytes = 1_024;

/** The checks of one target, from construction to {@link close}. */
export class HealthCheck implements ConnectionUser {
  readonly #options: HealthCheckOptions;
  readonly #next: Deadline;
  #connection: LocalConnection | undefined;
  #line = "";
  #inService = true;
  /** How many answers in a row were against the verdict. */
  #against = 0;

  constructor(options: HealthCheckOptions) {
    this.#options = options;
    this.#next = options.pool.runtime.deadlines.create(() => this.#ask());
    this.#next.arm(0);
  }

  /** Asks no more. Idempotent. */
  close(): void {
    this.#next.dispose();
    this.#letGo();
  }

  onConnected(): void {
    const { path, timeoutMs = 2_000 } = this.#options.health;
    const { target } = this.#options.pool;
    if (path === undefined) {
      this.#conclude("");
      return;
    }
    const host = target.host.includes(":") ? `[${target.host}]` : target.host;
    const authority = target.hostHeader?.toString("latin1") ?? `${host}:${target.port}`;
    const head = `GET ${path} HTTP/1.1\r\nHost: ${authority}\r\nUser-Agent: caisson-health\r\nAccept: */*\r\nConnection: close\r\n\r\n`;
    this.#connection?.deadline.arm(timeoutMs);
    this.#connection?.outlet.write(Buffer.from(head, "latin1"), 0);
  }

  onBytes(chunk: Buffer): void {
    this.#line += chunk.toString("latin1", 0, maxLineBytes);
    const end = this.#line.indexOf("\r\n");
    if (end < 0 && this.#line.length < maxLineBytes) return;
    const [, status] = /^HTTP\/1\.[01] (\d{3})(?: |$)/u.exec(this.#line.slice(0, Math.max(0, end))) ?? [];
    if (status === undefined) this.#conclude("its answer is no HTTP");
    else this.#conclude(status >= "200" && status < "400" ? "" : `it answers ${status}`);
  }

  onEnded(): void {
    this.#conclude("it closed the connection without an answer");
  }

  onLost(error: unknown): void {
    this.#connection = undefined;
    this.#conclude(error === undefined ? "it closed the connection without an answer" : messageOf(error));
  }

  onDeadline(): void {
    this.#conclude("it did not answer in time");
  }

  #ask(): void {
    const { pool, health } = this.#options;
    this.#line = "";
    this.#connection = pool.connect(this);
    this.#connection.deadline.arm(Math.min(health.timeoutMs ?? 2_000, pool.limits.connectMs));
  }

  #conclude(why: string): void {
    this.#letGo();
    const { intervalMs = 10_000, failAfter = 3, passAfter = 2 } = this.#options.health;
    this.#next.arm(intervalMs);
    const well = why === "";
    if (well === this.#inService) {
      this.#against = 0;
      return;
    }
    this.#against += 1;
    if (this.#against < (well ? passAfter : failAfter)) return;
    this.#against = 0;
    this.#inService = well;
    this.#options.onVerdict(well, why);
  }

  #letGo(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close("health_checked");
  }
}
