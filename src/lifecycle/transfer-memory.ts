// The memory that bytes pass through on their way. All sockets of a role read into one buffer, whose bytes are good until
// the next read; what has to wait is copied into blocks, which are used again. Fresh memory for every read and message
// cost more than the bytes did: page faults, and collections because V8 counts it into the limit of a small heap.

import { BulkSweeper } from "./bulk-sweeper.ts";

/** The size of a block, in bytes: a message of 128 KiB with the header of its WebSocket frame. */
export const blockBytes: number = 128 * 1024 + 64;
/** Pieces below this many bytes are cut from Node's slabs, which is cheaper still. */
export const leastLentBytes: number = 4 * 1024;
/** From this size on a copy is worth a block; a smaller one is often divided, and so never given back whole. */
const bulkBytes: number = 64 * 1024;
/** Blocks that may wait to be used again: 2 MiB. */
const maxFree = 16;

/** The memory of one role. It is no resource: what is never given back is collected like any other memory. */
export class TransferMemory {
  readonly #intakes = new Map<number, Buffer>();
  /** Held weakly, so that a full collection takes what waits unused. */
  #free: WeakRef<Buffer[]> | undefined;
  /** The block behind each piece that was lent and not given back. */
  readonly #lent = new WeakMap<Buffer, Buffer>();
  readonly #sweeper = new BulkSweeper();

  /**
   * What every read of at most `bytes` fills, whatever the socket: a reader must be done with it, or have copied it, when
   * it returns. The same for the same `bytes`, of which there are few.
   */
  intake(bytes: number): Buffer {
    let buffer = this.#intakes.get(bytes);
    if (!buffer) {
      buffer = Buffer.allocUnsafeSlow(bytes);
      this.#intakes.set(bytes, buffer);
    }
    return buffer;
  }

  /** How many blocks wait to be used again, 0 to 16. */
  get freeBlocks(): number {
    return this.#free?.deref()?.length ?? 0;
  }

  /** A piece of `bytes` (0 to {@link blockBytes}), whatever was in it. To be given back, or forgotten. */
  lend(bytes: number): Buffer {
    if (bytes < leastLentBytes) return this.#fresh(bytes);
    const block = this.#free?.deref()?.pop() ?? this.#fresh(blockBytes);
    const piece = block.subarray(0, bytes);
    this.#lent.set(piece, block);
    return piece;
  }

  /** A copy of `bytes` (0 to {@link blockBytes}) for somebody who keeps it: a block if it is large, else as much as it needs. */
  copy(bytes: Buffer): Buffer {
    const { length } = bytes;
    const copy = length < bulkBytes ? this.#fresh(length) : this.lend(length);
    bytes.copy(copy, 0, 0, length);
    return copy;
  }

  /**
   * Nobody refers to `piece` any more. Only a whole piece, the very object that was lent, is used again; anything else is
   * left to the collector, so that a part of it or foreign memory does no harm here.
   */
  giveBack(piece: Buffer): void {
    if (piece.length < leastLentBytes) return;
    const block = this.#lent.get(piece);
    if (!block) return;
    this.#lent.delete(piece);
    let free = this.#free?.deref();
    if (!free) {
      free = [];
      this.#free = new WeakRef(free);
    }
    if (free.length < maxFree) free.push(block);
  }

  #fresh(bytes: number): Buffer {
    this.#sweeper.allocated(bytes);
    return Buffer.allocUnsafe(bytes);
  }
}
