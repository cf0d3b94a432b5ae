// What takes part in a contest: something between visitors and a target, in processes of its own, all on loopback.

import { AsyncResources } from "../harness/async-resources.ts";

/** One that stands, in front of one target. Disposing of it ends its processes. */
export interface Standing extends AsyncDisposable {
  /** Where visitors go, on 127.0.0.1. */
  readonly port: number;
  /** The Host that visitors send. */
  readonly host: string;
  /** Its processes; what they start counts as theirs. None for the target itself. */
  readonly pids: readonly number[];
}

/** One that can be started. */
export interface Contestant {
  readonly name: string;
  /** Why it cannot take part here; undefined if it can. */
  readonly missing: string | undefined;
  /** Stands in front of an HTTP server on a port of 127.0.0.1. Rejects with E_GATE. */
  readonly start: (target: number) => Promise<Standing>;
}

/** Starts its parts; if one of them fails, ends those that stand already. */
export async function standingOf(
  build: (resources: AsyncResources) => Promise<Omit<Standing, typeof Symbol.asyncDispose>>,
): Promise<Standing> {
  const resources = new AsyncResources();
  try {
    const place = await build(resources);
    return { ...place, [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose]() };
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
}
