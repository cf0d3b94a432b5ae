// Collects young garbage after every few mebibytes of buffers. Those that carry bytes live outside of V8's heap, and
// V8 looks at them only when tens of mebibytes have gathered, by a full collection; Node 24 and later let 80 MiB gather.
// Their little heads are young, so that a scavenge, of a millisecond, frees them all. It never runs by itself.

import { exposedCollector } from "./collector.ts";

/**
 * New memory between two scavenges, in bytes. Measured: with half of it scavenges cost more, and with twice as much V8, which
 * adds these buffers to a heap of some 12 MB, begins four times as many full collections under answers of 10 KiB.
 */
export const bytesPerSweep: number = 4 * 1024 * 1024;

/** The sweeper of one role. */
export class BulkSweeper {
  #bytes = 0;
  /** Looked for when it is needed first; null if this Node has none. */
  #collect: CallableFunction | null | undefined;

  /** So many bytes were allocated. */
  allocated(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < bytesPerSweep) return;
    this.#bytes = 0;
    // From a stack that is empty: no frame keeps anything then.
    setImmediate(sweep, this);
  }

  /** @internal */
  _sweep(): void {
    if (this.#collect === undefined) this.#collect = exposedCollector() ?? null;
    if (this.#collect) Reflect.apply(this.#collect, undefined, [{ type: "minor", execution: "sync" }]);
  }
}

function sweep(sweeper: BulkSweeper): void {
  sweeper._sweep();
}
