// Major collections on demand, whatever flags Node was started with. Keeps nothing itself.

import { exposedCollector } from "../lifecycle/collector.ts";
import { CaissonError } from "../lifecycle/errors.ts";

/**
 * A function that collects all garbage from an empty stack, so that nothing is kept by a frame that happens to run, and
 * resolves after the finalisation callbacks had a turn of the event loop. Keep it: each is made with a context of its
 * own, of about 200 KB. Throws E_INTERNAL where V8 has no such function.
 */
export function findCollector(): () => Promise<void> {
  const collect = exposedCollector();
  if (!collect) throw new CaissonError("E_INTERNAL", "this Node cannot force a garbage collection");
  return async () => {
    const turning = new TurningLoop();
    const done: unknown = Reflect.apply(collect, undefined, [{ type: "major", execution: "async" }]);
    await done;
    turning.stop();
    // One turn for the callbacks, one for the entries that performance observers get.
    await nextTurn();
    await nextTurn();
  };
}

/** Keeps the event loop turning: V8's task for the collection does not count as work that a process waits for. */
class TurningLoop {
  #stopped = false;

  constructor() {
    setImmediate(this.#turn);
  }

  stop(): void {
    this.#stopped = true;
  }

  readonly #turn = (): void => {
    if (!this.#stopped) setImmediate(this.#turn);
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
