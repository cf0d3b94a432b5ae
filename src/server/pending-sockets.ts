// Sockets that were handed to the server's own pages and have not become sessions. Each has a deadline, because neither
// node:http nor ws watches a visitor that takes no answer, and a descriptor that nobody watches is never given back.

import type { Socket } from "node:net";
import type { Deadline } from "../lifecycle/deadlines.ts";
import type { Runtime } from "../lifecycle/runtime.ts";

interface Pending {
  readonly deadline: Deadline;
  readonly onClose: () => void;
  /** What is said when the deadline passes; the socket waits for it. */
  answer: (() => void) | undefined;
}

/** Options of {@link PendingSockets}. */
export interface PendingSocketsOptions {
  readonly runtime: Runtime;
  /** How long a socket may take to become a session, or to take its answer, in milliseconds. */
  readonly handshakeMs: number;
  /** How long one that was refused is still read, so that no reset overtakes the answer, in milliseconds. */
  readonly lingerMs: number;
}

/** Owns the sockets until they close or are released. */
export class PendingSockets {
  readonly #options: PendingSocketsOptions;
  readonly #pending = new Map<Socket, Pending>();

  constructor(options: PendingSocketsOptions) {
    this.#options = options;
  }

  /** How many there are. */
  get size(): number {
    return this.#pending.size;
  }

  /** Takes over an open socket. */
  add(socket: Socket): void {
    const { runtime, handshakeMs } = this.#options;
    const deadline = runtime.deadlines.create(() => this.#expire(socket));
    const onClose = (): void => this.release(socket, "closed");
    this.#pending.set(socket, { deadline, onClose, answer: undefined });
    socket.once("close", onClose);
    deadline.arm(handshakeMs);
  }

  /** The socket's answer is written and its end was asked for: what the visitor still sends is read, for a while. */
  linger(socket: Socket): void {
    this.#pending.get(socket)?.deadline.arm(this.#options.lingerMs);
    socket.resume();
  }

  /** Calls `answer`, which writes and ends, after `ms`, and then lingers. Until then what the visitor sends is dropped. */
  answerLater(socket: Socket, ms: number, answer: () => void): void {
    const pending = this.#pending.get(socket);
    if (!pending) return;
    pending.answer = answer;
    pending.deadline.arm(ms);
    socket.resume();
  }

  /** Lets go of the socket: it is closed, or has another owner. Idempotent. */
  release(socket: Socket, reason: string): void {
    const pending = this.#pending.get(socket);
    if (!pending) return;
    this.#pending.delete(socket);
    socket.off("close", pending.onClose);
    pending.deadline.dispose(reason);
  }

  /** Destroys them all. */
  close(): void {
    for (const socket of this.#pending.keys()) {
      this.release(socket, "shutdown");
      socket.destroy();
    }
  }

  #expire(socket: Socket): void {
    const pending = this.#pending.get(socket);
    const answer = pending?.answer;
    if (pending && answer) {
      pending.answer = undefined;
      answer();
      this.linger(socket);
      return;
    }
    // One that lingers has its answer and took its time; any other never came to an end.
    if (!socket.writableFinished) this.#options.runtime.events.refused("handshake_timeout");
    socket.destroy();
  }
}
