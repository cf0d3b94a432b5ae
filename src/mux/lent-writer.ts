// Writes memory that was lent by its role, and gives each piece back as soon as the socket needs it no more: mostly at
// once, because the operating system takes it on the spot. What a socket still held when it was cut is left alone.

import type { Socket } from "node:net";
import type { TransferMemory } from "../lifecycle/transfer-memory.ts";
import { leastLentBytes } from "../lifecycle/transfer-memory.ts";

/** The writer of one socket. */
export class LentWriter {
  readonly #socket: Socket;
  readonly #memory: TransferMemory;
  readonly #onWritten: () => void;
  /** What the socket has not taken, in order. */
  readonly #waiting: Buffer[] = [];
  /** Calls to come for writes whose pieces were given back already. */
  #returned = 0;
  /** One for all writes. */
  readonly #onLentWritten = (): void => this.#written();

  /** `onWritten` is called once per write: its bytes are held no longer, taken or lost. */
  constructor(socket: Socket, options: { readonly memory: TransferMemory; readonly onWritten: () => void }) {
    this.#socket = socket;
    this.#memory = options.memory;
    this.#onWritten = options.onWritten;
  }

  /** Writes `bytes`, which lie in `piece`; both are the socket's from here on. */
  write(bytes: Buffer, piece: Buffer): void {
    const socket = this.#socket;
    if (piece.length < leastLentBytes) {
      socket.write(bytes, this.#onWritten);
      return;
    }
    this.#waiting.push(piece);
    socket.write(bytes, this.#onLentWritten);
    if (socket.writableLength === 0) this.#giveBack();
  }

  #giveBack(): void {
    const pieces = this.#waiting;
    this.#returned += pieces.length;
    for (const piece of pieces) this.#memory.giveBack(piece);
    pieces.length = 0;
  }

  #written(): void {
    if (this.#returned > 0) this.#returned -= 1;
    else {
      const piece = this.#waiting.shift();
      if (piece && !this.#socket.destroyed) this.#memory.giveBack(piece);
    }
    this.#onWritten();
  }
}
