// The readings of a process that knows nothing of Caisson, over its inspector alone: memory after a collection, objects and
// listeners (as for our own server), and what only this mode reads: descriptors from inside, and sizes of containers.

import { CaissonError } from "../../../src/lifecycle/errors.ts";
import { Inspector } from "../readings/inspector.ts";
import { isObject, numbersOf, objectOf, textOf } from "../readings/json-shape.ts";
import { tcpCounters } from "../readings/kernel.ts";
import { ProcessReader } from "../readings/process-reader.ts";
import type { Sample } from "../verdict/sample.ts";
import type { TargetIdentity } from "./target-functions.ts";
import { facts, identity } from "./target-functions.ts";

/** What the run knows of a sample. */
export type SampleFacts = Pick<Sample, "round" | "phase" | "atMs" | "connections" | "requests">;

/** How long a process may take to come to rest, in milliseconds; what still moves then is read as it is. */
const settleMs = 8_000;
/** At rest means: the same handles and descriptors for this long. Milliseconds. */
const restMs = 250;
const pollMs = 50;

/** One attached process. */
export class AttachedProcess {
  readonly identity: TargetIdentity;
  readonly #inspector: Inspector;
  readonly #reader: ProcessReader;

  private constructor(parts: {
    readonly inspector: Inspector;
    readonly reader: ProcessReader;
    readonly is: TargetIdentity;
  }) {
    this.identity = parts.is;
    this.#inspector = parts.inspector;
    this.#reader = parts.reader;
  }

  /** Attaches to the inspector at `url`. Rejects with E_GATE. */
  static async attach(url: string): Promise<AttachedProcess> {
    const inspector = await Inspector.connect(url);
    let reader: ProcessReader | undefined;
    try {
      if ((await inspector.evaluate("typeof process?.getBuiltinModule")) !== "function") {
        throw new CaissonError(
          "E_GATE",
          `the process at ${new URL(url).host} is no Node of version 20.16, 22.3 or newer`,
        );
      }
      const is = identityOf(await inspector.evaluate(`(${identity.toString()})()`));
      reader = await ProcessReader.connect(url);
      await reader.rehearse();
      return new AttachedProcess({ inspector, is, reader });
    } catch (error) {
      await Promise.all([reader?.close(), inspector.close()]);
      throw error;
    }
  }

  /** Whether its inspector's connection is lost, with the process most probably. */
  get isLost(): boolean {
    return this.#inspector.isLost || this.#reader.isLost;
  }

  /** Waits until handles and descriptors stand still. */
  async settle(): Promise<void> {
    const startedAtMs = performance.now();
    let seen = "";
    let sinceMs = startedAtMs;
    for (;;) {
      const now = JSON.stringify(await this.#facts());
      const atMs = performance.now();
      if (now !== seen) sinceMs = atMs;
      seen = now;
      if (atMs - sinceMs >= restMs || atMs - startedAtMs >= settleMs) return;
      await new Promise((resolve) => {
        setTimeout(resolve, pollMs);
      });
    }
  }

  /** Collects garbage and reads everything. */
  async sample(about: SampleFacts): Promise<Sample> {
    const { memory, handles, census } = await this.#reader.read({ census: true });
    const { fds } = await this.#facts();
    const tcp = await tcpCounters();
    return { ...about, kinds: undefined, probes: {}, handles, fds, tcp, memory, ...census };
  }

  /** Lets go of the process. It goes on as before. */
  async close(): Promise<void> {
    await Promise.all([this.#reader.close(), this.#inspector.close()]);
  }

  async #facts(): Promise<{
    readonly fds: Record<string, number> | undefined;
    readonly handles: Record<string, number>;
  }> {
    const state = objectOf(await this.#inspector.evaluate(`(${facts.toString()})()`), "the process");
    return {
      fds: isObject(state["fds"]) ? numbersOf(state["fds"], "descriptors") : undefined,
      handles: numbersOf(state["handles"], "handles"),
    };
  }
}

function identityOf(value: unknown): TargetIdentity {
  const { node, flags } = objectOf(value, "the process");
  const list: readonly unknown[] = Array.isArray(flags) ? flags : [];
  return { node: textOf(node, "the version of Node"), flags: list.map((flag) => textOf(flag, "a flag")) };
}
