// The server under test: the built CLI, unchanged, in a process of its own, with short holds and timeouts so that a round
// settles within seconds. Its inspector listens on loopback for the readings.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CaissonError } from "../../../src/lifecycle/errors.ts";
import type { OnStarted } from "./node-process.ts";
import { NodeProcess } from "./node-process.ts";

/** How long the server keeps what it may keep, in milliseconds. Scenarios and the settling know these. */
export const holds = { deadAfterMs: 3_000, nameHoldMs: 2_000, closeTimeoutMs: 1_000 } as const;

const serverMain = fileURLToPath(new URL("../../../src/cli/main.js", import.meta.url));
const serverArgs: readonly string[] = [
  ["serve", "--json", "--log-level", "error", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"],
  ["--watch-one-in", "1"],
  ["--dead-after", `${holds.deadAfterMs}ms`, "--ping-every", "1s", "--name-hold", `${holds.nameHoldMs}ms`],
  ["--ws-close-timeout", `${holds.closeTimeoutMs}ms`, "--reset-timeout", "2s", "--abort-window", "1s"],
  // A slow machine is no finding.
  ["--max-loop-delay", "1h"],
  // Everybody here is one address.
  ["--max-visitors-per-address", "10000", "--max-aborts", "100000", "--linger", "200ms"],
].flat();

/** How the server is started. */
export interface ServerProcessOptions {
  /** V8 flags. */
  readonly nodeFlags: readonly string[];
  /** A module that is loaded before anything else of the server, as `--import` takes it. */
  readonly importFirst?: string;
  /** Flags of the server after the gate's own, which they replace. */
  readonly serverFlags?: readonly string[];
  readonly onStarted?: OnStarted;
}

/** The server under test. */
export class ServerProcess {
  readonly process: NodeProcess;
  /** Its own URL, `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly admin: string;
  readonly adminToken: string;
  /** The inspector's WebSocket. */
  readonly inspector: string;
  readonly #folder: string;

  private constructor(
    process: NodeProcess,
    facts: Pick<ServerProcess, "url" | "admin" | "inspector"> & { readonly folder: string },
  ) {
    this.process = process;
    this.url = facts.url;
    this.admin = facts.admin;
    this.inspector = facts.inspector;
    this.#folder = facts.folder;
    this.adminToken = readFileSync(tokenFileIn(facts.folder), "utf8").trim();
  }

  /** Starts it; resolves when it listens. Rejects with E_GATE. */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const { nodeFlags, importFirst, serverFlags = [], onStarted } = options;
    const folder = mkdtempSync(join(tmpdir(), "caisson-gate-"));
    const imports = importFirst === undefined ? [] : ["--import", importFirst];
    const server = new NodeProcess({
      title: "the server under test",
      nodeFlags: [...nodeFlags, ...readingFlags, ...imports],
      script: serverMain,
      args: [...serverArgs, "--admin-token-file", tokenFileIn(folder), ...serverFlags],
      env: { XDG_STATE_HOME: folder },
      onStarted,
    });
    try {
      const listening = server.line(listeningIn, readyMs);
      const [inspector, { url, admin }] = await Promise.all([server.line(inspectorIn), listening]);
      return new ServerProcess(server, { url, admin, inspector, folder });
    } catch (error) {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Ends it. */
  async stop(): Promise<void> {
    await this.process.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A module that is loaded first may do much before the server listens, on a machine that has other things to do. */
const readyMs = 240_000;

function tokenFileIn(folder: string): string {
  return join(folder, "admin-token");
}

/** What the readings need of a process: an inspector on loopback, and `gc`, so that a collection and a reading are one step. */
export const readingFlags: readonly string[] = ["--inspect=127.0.0.1:0", "--expose-gc"];

/** What Node prints for `--inspect`. */
export function inspectorIn(line: string): string | undefined {
  return /^Debugger listening on (ws:\S+)$/u.exec(line)?.[1];
}

/** Where a server is reached. */
export interface ListeningServer {
  /** By visitors. */
  readonly url: string;
  /** By clients: the same, unless they have an address of their own. */
  readonly clients: string;
  /** By operators. */
  readonly admin: string;
}

/** The addresses in a line that a server in JSON mode prints once it listens; undefined for other lines. Throws E_GATE. */
export function listeningIn(line: string): ListeningServer | undefined {
  if (!line.startsWith("{")) return undefined;
  const event: unknown = JSON.parse(line);
  if (typeof event !== "object" || event === null || !("url" in event) || !("admin" in event)) return undefined;
  const { url, admin } = event;
  const clients = "clients" in event ? event.clients : url;
  if (typeof url !== "string" || typeof admin !== "string" || typeof clients !== "string") {
    throw new CaissonError("E_GATE", `no addresses in ${line}`);
  }
  return { url, clients, admin };
}
