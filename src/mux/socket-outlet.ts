// Writes what a stream received into a socket, and gives credit back when the operating system has taken the bytes.
// What is written in one turn is copied and leaves in one system call; large copies are in blocks that are used again.

import type { Socket } from "node:net";
import type { TransferMemory } from "../lifecycle/transfer-memory.ts";
import { LentWriter } from "./lent-writer.ts";
import type { Stream } from "./stream.ts";
import type { TurnTask } from "./turn.ts";

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
  readonly #memory: TransferMemory;
  readonly #writer: LentWriter;

  /** `memory`: where what leaves together is joined. */
  constructor(socket: Socket, memory: TransferMemory) {
    this.#socket = socket;
    this.#memory = memory;
    this.#writer = new LentWriter(socket, { memory, onWritten: () => this.#written() });
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
   * Writes `chunk`, of which `payloadBytes` (0 to any number) are owed to the stream as credit. By reference until the end
   * of the turn, or of the message that brought it. Several writes of one turn leave together.
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
    const joined = this.#memory.lend(total, socket.writableLength);
    let at = 0;
    for (const chunk of chunks) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    this.#writer.write(joined, joined);
    // Taken on the spot, as usual: no need to wait for the callback.
    if (this.#firstOwed && socket.writableLength === 0) this.#settleAll();
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
