// The processes that the proof watches: a healthy pair with traffic, and a faulty one whose faults are ours.
// The faulty client has two servers, of which one is killed; the target of the other does not listen.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WireClient } from "../hostile/wire-client.ts";
import { AdminReader } from "../support/admin-reader.ts";
import type { IssuedPair } from "../support/authority.ts";
import { Authority } from "../support/authority.ts";
import { testCertificate, testKey } from "../support/certificate.ts";
import { freePort } from "../support/free-port.ts";
import { HttpTarget } from "../support/http-target.ts";
import { ProcessPair, startClient } from "../support/processes.ts";
import { RawClient } from "../support/raw-client.ts";
import type { CaissonProcess } from "../support/run.ts";
import { startCaisson } from "../support/run.ts";
import { faultyDescriptors, ghostName, halfOpenName } from "./fault-facts.ts";

/** The private listener of each process, as Prometheus calls an instance. */
export interface Instances {
  readonly healthyServer: string;
  readonly healthyClient: string;
  readonly faultyServer: string;
  readonly killedServer: string;
  readonly faultyClient: string;
}

function moduleFlags(...modules: readonly string[]): string[] {
  return modules.flatMap((path) => ["--import", new URL(path, import.meta.url).href]);
}

function tlsFlags({ cert, key }: IssuedPair): string[] {
  return ["--listen-tls", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key];
}

/** All of it. */
export class Fleet {
  readonly instances: Instances;
  readonly #folder: string;
  readonly #owned: readonly AsyncDisposable[];
  readonly #healthyPort: number;
  readonly #faultyPort: number;
  readonly #killed: CaissonProcess;
  readonly #traffic: NodeJS.Timeout;
  /** Clients that stay. */
  readonly #standing: WireClient[] = [];
  #requests: Promise<void> = Promise.resolve();
  #visits = 0;

  private constructor(parts: {
    readonly folder: string;
    readonly owned: readonly AsyncDisposable[];
    readonly instances: Instances;
    readonly healthyPort: number;
    readonly faultyPort: number;
    readonly killed: CaissonProcess;
  }) {
    this.#folder = parts.folder;
    this.#owned = parts.owned;
    this.instances = parts.instances;
    this.#healthyPort = parts.healthyPort;
    this.#faultyPort = parts.faultyPort;
    this.#killed = parts.killed;
    this.#traffic = setInterval(() => this.#visit(), 150);
  }

  /** Starts everything; `traces` is where spans go. */
  static async start(traces: number): Promise<Fleet> {
    const folder = mkdtempSync(join(tmpdir(), "caisson-fleet-"));
    const [clientPort, faultyClientPort, nobody] = [await freePort(), await freePort(), await freePort()];
    const target = await HttpTarget.start((incoming, response) => {
      // What is asked for slowly is never answered: its visitors leave.
      if (incoming.url !== "/slow") response.end("x".repeat(10_000));
    });
    using authority = await Authority.create();
    const lasting = join(folder, "lasting.pem");
    const expired = await authority.issue(["localhost"], { expired: true });
    writeFileSync(lasting, `${testCertificate}${testKey}`);
    const healthy = await ProcessPair.start(target.port, {
      serve: ["--admin", "127.0.0.1:0", ...tlsFlags({ cert: lasting, key: lasting })],
      http: ["--admin", `127.0.0.1:${clientPort}`],
    });
    const token = join(folder, "token");
    const faultyFlags = ["serve", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    const faulty = startCaisson(
      [
        ...faultyFlags,
        "--catch-all",
        "demo",
        "--admin-token-file",
        token,
        "--ws-close-timeout",
        "100ms",
        ...tlsFlags(expired),
      ],
      {
        nodeFlags: moduleFlags("../../bench/zoo/registry-never-deleted.js", "faults.js"),
        descriptors: faultyDescriptors.limit,
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${traces}`, OTEL_BSP_SCHEDULE_DELAY: "500" },
      },
    );
    const killed = startCaisson(faultyFlags, {});
    const [faultyUrl, killedUrl] = await Promise.all([listening(faulty), listening(killed)]);
    const faultyClient = startClient(nobody, Number(faultyUrl.port), {
      http: ["--server", `ws://127.0.0.1:${killedUrl.port}`, "--admin", `127.0.0.1:${faultyClientPort}`],
      httpProcess: { nodeFlags: moduleFlags("late-loop.js") },
    });
    await faultyClient.event("tunnel", (event) => JSON.stringify(event).includes(`:${faultyUrl.port}`));
    await faultyClient.event("tunnel", (event) => JSON.stringify(event).includes(`:${killedUrl.port}`));
    return new Fleet({
      folder,
      owned: [faultyClient, faulty, killed, healthy, target],
      healthyPort: healthy.port,
      faultyPort: Number(faultyUrl.port),
      killed,
      instances: {
        healthyServer: await adminOf(healthy.server),
        healthyClient: `127.0.0.1:${clientPort}`,
        faultyServer: await adminOf(faulty),
        killedServer: await adminOf(killed),
        faultyClient: `127.0.0.1:${faultyClientPort}`,
      },
    });
  }

  /** Reads the faulty server, with its token. */
  get faultyAdmin(): AdminReader {
    return new AdminReader(
      `http://${this.instances.faultyServer}`,
      readFileSync(join(this.#folder, "token"), "utf8").trim(),
    );
  }

  /** Sessions that stay in the faulty server's set, a ghost, a vanished client, and everything that is turned away. */
  async misbehave(): Promise<void> {
    for (let n = 0; n < 5; n += 1) {
      using client = await WireClient.connect(this.#faultyPort, { name: `churned-${n}` });
      client.send(Buffer.from([0, 0, 1, 0x7f, 0, 0, 0, 0, 0, 0]));
      await client.gone();
    }
    this.#standing.push(await WireClient.connect(this.#faultyPort, { name: ghostName }));
    using vanishing = await WireClient.connect(this.#faultyPort, { name: "vanishing" });
    void vanishing;
    const guess = new AdminReader(`http://${this.instances.healthyServer}`, "no-token-of-anybody");
    await guess.ask("/debug/resources");
    const raw = await RawClient.connect(this.#healthyPort);
    raw.socket.end("GET / HTTP/1.1\r\n\r\n");
    await new Promise((resolve) => raw.socket.resume().once("close", resolve));
  }

  /** From now on peers of the faulty server end their connections, and it does not end its own. */
  async leaveHalfOpen(): Promise<void> {
    this.#standing.push(await WireClient.connect(this.#faultyPort, { name: halfOpenName }));
  }

  /** Ends one of the faulty client's servers, as a crash does. */
  kill(): void {
    this.#killed.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#traffic);
    await this.#requests;
    for (const client of this.#standing) client[Symbol.dispose]();
    for (const owned of this.#owned) await owned[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #visit(): void {
    this.#visits += 1;
    const paths = this.#visits % 10 === 0 ? ["/", "/slow"] : ["/"];
    this.#requests = Promise.all([
      this.#requests,
      ...paths.map((path) => visit(this.#healthyPort, path)),
      visit(this.#faultyPort, "/"),
    ]).then(() => undefined);
  }
}

async function listening(server: CaissonProcess): Promise<URL> {
  return new URL(String((await server.event("listening"))["url"]));
}

async function adminOf(server: CaissonProcess): Promise<string> {
  return new URL(String((await server.event("listening"))["admin"])).host;
}

/** One request on a connection of its own; leaves after a while. Errors are what some of them are for. */
function visit(port: number, path: string): Promise<void> {
  return new Promise((resolve) => {
    const sent = request({ port, host: "127.0.0.1", path, agent: false }, (response) => void response.resume());
    sent.setTimeout(3_000, () => sent.destroy());
    sent.on("error", () => undefined);
    sent.on("close", resolve);
    sent.end();
  });
}
