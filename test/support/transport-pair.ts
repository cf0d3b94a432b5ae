// Two transports joined in memory: what one sends, the other receives, whole and in order, in a later turn.
// A side can be delayed, held back (unsent bytes pile up), or cut after so many messages or bytes.

import type { Transport, TransportReceiver } from "../../src/mux/transport.ts";

/** How a pair behaves; the same for both directions. */
export interface TransportPairOptions {
  /** Messages arrive so many milliseconds later. Default: in the next turn of the event loop. */
  readonly latencyMs?: number;
  /** The line takes so many bytes per millisecond; the rest counts as unsent. Default: any number. */
  readonly bytesPerMs?: number;
  /** After so many bytes of one direction both sides are closed abnormally; a message that would pass this is lost. */
  readonly cutAfterBytes?: number;
}

const spoilt = 0xa5;

/** One side. */
export class PairedTransport implements Transport {
  readonly headroomBytes = 0;
  receiver: TransportReceiver | undefined = undefined;
  /** What was sent, if {@link record} is set. */
  readonly sent: Buffer[] = [];
  record = false;
  /** While true, nothing leaves: bytes count as unsent. */
  held = false;
  sentBytes = 0;
  closeCode = 0;
  closeReason = "";
  readonly #options: TransportPairOptions;
  #peer: PairedTransport | undefined;
  #queue: Buffer[] = [];
  #unsentBytes = 0;
  #busyUntilMs = 0;
  #closing = false;
  #closed = false;

  constructor(options: TransportPairOptions) {
    this.#options = options;
  }

  /** Connects two sides. */
  static join(a: PairedTransport, b: PairedTransport): void {
    a.#peer = b;
    b.#peer = a;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(message: Buffer, end: number): void {
    if (this.#closing || this.#closed) return;
    // A socket copies too: what happens to the sender's memory later must not be seen by the receiver.
    const copy = Buffer.from(message.subarray(0, end));
    if (this.record) this.sent.push(Buffer.from(copy));
    this.sentBytes += copy.length;
    if (this.#options.cutAfterBytes !== undefined && this.sentBytes > this.#options.cutAfterBytes) {
      this.cut();
      return;
    }
    this.#queue.push(copy);
    this.#unsentBytes += copy.length;
    if (!this.held) this.#move();
  }

  /** Holds back what the other side sends. */
  holdPeer(): void {
    if (this.#peer) this.#peer.held = true;
  }

  /** Lets go what the other side sends. */
  releasePeer(): void {
    this.#peer?.release();
  }

  /** Lets go what was held. */
  release(): void {
    this.held = false;
    this.#move();
  }

  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.closeCode = code;
    this.closeReason = reason;
    if (!this.held) this.#move();
  }

  terminate(): void {
    this.#end(1006, "");
    this.#peer?.fail();
  }

  /** Both sides break off, as when a cable is cut and noticed. */
  cut(): void {
    this.fail();
    this.#peer?.fail();
  }

  /** This side breaks off in a later turn. */
  fail(): void {
    setImmediate(() => this.#end(1006, ""));
  }

  /** Moves what the line can take now. */
  #move(): void {
    const { latencyMs = 0, bytesPerMs } = this.#options;
    while (this.#queue.length > 0 && !this.held) {
      const message = this.#queue[0];
      if (!message) return;
      if (bytesPerMs !== undefined) {
        const nowMs = performance.now();
        if (this.#busyUntilMs > nowMs) {
          setTimeout(() => this.#move(), this.#busyUntilMs - nowMs);
          return;
        }
        this.#busyUntilMs = nowMs + message.length / bytesPerMs;
      }
      this.#queue.shift();
      this.#unsentBytes -= message.length;
      this.#later(latencyMs, () => this.#peer?.deliver(message));
      setImmediate(() => this.receiver?.onSent());
    }
    if (this.#closing && this.#queue.length === 0) {
      this.#later(latencyMs, () => {
        this.#peer?.closedBy(this.closeCode, this.closeReason);
        this.#end(this.closeCode, this.closeReason);
      });
    }
  }

  deliver(message: Buffer): void {
    if (!this.#closed) this.receiver?.onMessage(message);
    // As the memory that sockets read into: whoever still needs it has no copy, and shall be found out.
    message.fill(spoilt);
  }

  closedBy(code: number, reason: string): void {
    this.#end(code, reason);
  }

  #later(ms: number, call: () => void): void {
    if (ms > 0) setTimeout(call, ms);
    else setImmediate(call);
  }

  #end(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing = true;
    this.#queue = [];
    this.#unsentBytes = 0;
    const { receiver } = this;
    this.receiver = undefined;
    receiver?.onClosed(code, reason);
  }
}

/** Two joined sides. */
export function transportPair(options: TransportPairOptions = {}): [PairedTransport, PairedTransport] {
  const a = new PairedTransport(options);
  const b = new PairedTransport(options);
  PairedTransport.join(a, b);
  return [a, b];
}
