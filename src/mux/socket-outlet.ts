// Writes what a stream received into a socket, and gives credit back when the operating system has taken the bytes.
// What is written in one turn leaves in one system call; nothing is allocated per write but what Node needs itself.

import type { Socket } from "node:net";
import type { Stream } from "./stream.ts";
import type { TurnTask } from "./turn.ts";

/** Chunks that together are smaller than this are joined: one copy is cheaper than a vectored write. */
const joinBelowBytes: number = 16 * 1024;
/** A chunk that has to wait is copied if the memory behind it is more than so many times its size. */
const pinFactor = 4;

/** Credit that is owed once a write has been taken. */
class Owed {
  readonly stream: Stream | undefined;
  readonly bytes: number;
  next: Owed | undefined = undefined;

  constructor(stream: Stream | undefined, bytes: number) {
    this.stream = stream;
    this.bytes = bytes;
  }
}

/** The writing side of one socket, for one stream after the other. The socket stays its owner's. */
export class SocketOutlet implements TurnTask {
  readonly #socket: Socket;
  #stream: Stream | undefined;
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #payloadBytes = 0;
  #ending = false;
  #waitsForTurn = false;
  #firstOwed: Owed | undefined;
  #lastOwed: Owed | undefined;
  /** Callbacks of writes whose credit has been given already. */
  #settledWrites = 0;
  #pendingWrites = 0;
  /** One for all writes. */
  readonly #onWritten = (): void => this.#written();

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes that were written here and not taken by the operating system yet. */
  get pendingBytes(): number {
    return this.#chunkBytes + this.#socket.writableLength;
  }

  /** From now on payload is owed to `stream`. */
  attach(stream: Stream): void {
    if (this.#chunks.length > 0) this.#flush();
    this.#stream = stream;
  }

  /**
   * Writes `chunk`, of which `payloadBytes` (0 to any number) are owed to the stream as credit. By reference until it is
   * taken: the caller must not change it. Several writes of one turn leave together.
   */
  write(chunk: Buffer, payloadBytes: number): void {
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
    this.#payloadBytes += payloadBytes;
    this.#later();
  }

  /** Ends the socket's writing side after what was written. */
  end(): void {
    this.#ending = true;
    this.#later();
  }

  /** Lets go of the stream; what it is still owed is given when its bytes are taken, or the socket is destroyed. */
  detach(): void {
    this.#flush();
    this.#stream = undefined;
  }

  /** Writes at once what waits for the end of the turn. */
  flush(): void {
    this.#flush();
  }

  /** @internal */
  _finishTurn(): void {
    this.#waitsForTurn = false;
    this.#flush();
  }

  #later(): void {
    if (!this.#stream) this.#flush();
    else if (!this.#waitsForTurn) {
      this.#waitsForTurn = true;
      this.#stream.session._turn.add(this);
    }
  }

  #flush(): void {
    if (this.#chunks.length > 0) this.#writeChunks();
    if (!this.#ending) return;
    this.#ending = false;
    this.#socket.end();
  }

  #writeChunks(): void {
    const chunks = this.#chunks;
    const total = this.#chunkBytes;
    const owed = this.#payloadBytes;
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#payloadBytes = 0;
    const socket = this.#socket;
    if (owed > 0 || this.#firstOwed) this.#owe(owed);
    else this.#settledWrites += 1;
    this.#pendingWrites += 1;
    const [first] = chunks;
    if (first && chunks.length === 1) {
      socket.write(socket.writableLength > 0 ? unpinned(first) : first, this.#onWritten);
    } else if (total < joinBelowBytes) socket.write(Buffer.concat(chunks, total), this.#onWritten);
    else this.#writeMany(chunks);
    // Taken on the spot, as usual: no need to wait for the callback.
    if (this.#firstOwed && socket.writableLength === 0) this.#settleAll();
  }

  #writeMany(chunks: readonly Buffer[]): void {
    const socket = this.#socket;
    const waits = socket.writableLength > 0;
    const last = chunks.length - 1;
    socket.cork();
    for (const [index, chunk] of chunks.entries()) {
      const bytes = waits ? unpinned(chunk) : chunk;
      if (index === last) socket.write(bytes, this.#onWritten);
      else socket.write(bytes);
    }
    socket.uncork();
  }

  #owe(bytes: number): void {
    const owed = new Owed(this.#stream, bytes);
    if (this.#lastOwed) this.#lastOwed.next = owed;
    else this.#firstOwed = owed;
    this.#lastOwed = owed;
  }

  /** A write was taken, or failed: either way its bytes are held no longer. */
  #written(): void {
    this.#pendingWrites -= 1;
    if (this.#settledWrites > 0) {
      this.#settledWrites -= 1;
      return;
    }
    const owed = this.#firstOwed;
    if (!owed) return;
    this.#firstOwed = owed.next;
    if (!owed.next) this.#lastOwed = undefined;
    if (owed.bytes > 0) owed.stream?.consumed(owed.bytes);
  }

  #settleAll(): void {
    this.#settledWrites = this.#pendingWrites;
    let owed = this.#firstOwed;
    this.#firstOwed = undefined;
    this.#lastOwed = undefined;
    for (; owed; owed = owed.next) if (owed.bytes > 0) owed.stream?.consumed(owed.bytes);
  }
}

/** The chunk itself, or a copy if keeping it would keep far more memory alive. */
function unpinned(chunk: Buffer): Buffer {
  return chunk.length * pinFactor < chunk.buffer.byteLength ? Buffer.from(chunk) : chunk;
}
