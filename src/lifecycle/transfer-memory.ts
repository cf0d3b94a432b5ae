// The memory that bytes pass through on their way. All sockets of a role read into one buffer, whose bytes are good until
// the next read; what has to wait is copied into blocks, which are used again. Fresh memory for every read and message
// cost more than the bytes did: page faults, and collections because V8 counts it into the limit of a small heap.

import { BulkSweeper } from "./bulk-sweeper.ts";

/** Room for a head or a frame's header in front of a round number of bytes. */
const headroomBytes = 64;
/** The sizes of blocks, in bytes. A piece never keeps more than four times its size from others. */
const blockSizes: readonly number[] = [16, 64, 128].map((kibibytes) => kibibytes * 1024 + headroomBytes);
/** The largest block: a message of 128 KiB with the header of its WebSocket frame. */
export const blockBytes: number = 128 * 1024 + headroomBytes;
/** Pieces below this many bytes are cut from Node's slabs, which is cheaper still. */
export const leastLentBytes: number = 4 * 1024;
/** From this size on what is kept is worth a block; a smaller copy mostly holds a head as well, and never comes back. */
const bulkBytes: number = 64 * 1024;
/** Blocks of each size that may wait to be used again: 3.3 MiB in all. */
const maxFree = 16;

/** The memory of one role. It is no resource: what is never given back is collected like any other memory. */
export class TransferMemory {
  readonly #intakes = new Map<number, Buffer>();
  /** Held weakly, so that a full collection takes what waits unused. */
  #free: WeakRef<Buffer[][]> | undefined;
  /** The block behind each piece that was lent and not given back. */
  readonly #lent = new WeakMap<Buffer, Buffer>();
  readonly #sweeper = new BulkSweeper();
  #madeBlocks = 0;

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

  /** How many blocks wait to be used again. */
  get freeBlocks(): number {
    return this.#free?.deref()?.reduce((sum, { length }) => sum + length, 0) ?? 0;
  }

  /** How many blocks were ever made: far fewer than are lent, where they come back. */
  get madeBlocks(): number {
    return this.#madeBlocks;
  }

  /**
   * A piece of `bytes`, whatever was in it, to be given back or forgotten. Of a block, unless it is too small or too large
   * for one, or would have to wait: `waitingBytes` are in front of it for the same socket, or still to come.
   */
  lend(bytes: number, waitingBytes = 0): Buffer {
    const size = bytes < (waitingBytes > 0 ? bulkBytes : leastLentBytes) ? -1 : sizeFor(bytes);
    if (size < 0) return this.#exactly(bytes);
    const block = this.#free?.deref()?.[size]?.pop() ?? this.#makeBlock(blockSizes[size] ?? bytes);
    const piece = block.subarray(0, bytes);
    this.#lent.set(piece, block);
    return piece;
  }

  /** A copy of `bytes` for somebody who keeps it: in a block if it is large. */
  copy(bytes: Buffer): Buffer {
    const { length } = bytes;
    const copy = length < bulkBytes ? this.#exactly(length) : this.lend(length);
    copy.set(bytes);
    return copy;
  }

  /**
   * Nobody refers to `piece` any more. Only a whole piece, the very object that was lent, is used again, or what is named
   * by {@link divided}; anything else is left to the collector, so that a part or foreign memory does no harm here.
   */
  giveBack(piece: Buffer): void {
    if (piece.length < leastLentBytes) return;
    const block = this.#lent.get(piece);
    if (!block) return;
    this.#lent.delete(piece);
    const free = this.#freeOf(sizeFor(block.length));
    if (free.length < maxFree) free.push(block);
  }

  /**
   * `piece` was divided, and its parts go one behind the other to somebody who gives each back: `last`, the last of them,
   * brings back the block of all. Nothing else may refer to `piece`. A `last` below 4 KiB leaves it to the collector.
   */
  divided(piece: Buffer, last: Buffer): void {
    if (piece.length < bulkBytes || last.length < leastLentBytes) return;
    const block = this.#lent.get(piece);
    if (!block) return;
    this.#lent.delete(piece);
    this.#lent.set(last, block);
  }

  #makeBlock(bytes: number): Buffer {
    this.#madeBlocks += 1;
    return this.#exactly(bytes);
  }

  #exactly(bytes: number): Buffer {
    this.#sweeper.allocated(bytes);
    // Node's slabs are of 8 KiB, or of 64 in later versions: what is not small shall not keep a whole one.
    return bytes < leastLentBytes ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes);
  }

  #freeOf(size: number): Buffer[] {
    let free = this.#free?.deref();
    if (!free) {
      free = blockSizes.map(() => []);
      this.#free = new WeakRef(free);
    }
    return free[size] ?? [];
  }
}

/** The smallest size of a block with room for `bytes`, -1 if none has. */
function sizeFor(bytes: number): number {
  return blockSizes.findIndex((size) => bytes <= size);
}
