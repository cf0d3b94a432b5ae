// A queue of streams that have something to send, linked through the streams themselves: no allocation per turn,
// and a stream leaves from the middle at once when it is cut.

import type { Stream } from "./stream.ts";

/** A first-in, first-out queue; a stream is in at most one. */
export class StreamList {
  #first: Stream | undefined;
  #last: Stream | undefined;
  #size = 0;

  /** How many streams wait. */
  get size(): number {
    return this.#size;
  }

  /** The one that waits longest. */
  get first(): Stream | undefined {
    return this.#first;
  }

  /** Puts a stream that is in no list at the end. */
  push(stream: Stream): void {
    stream._list = this;
    stream._previous = this.#last;
    stream._next = undefined;
    if (this.#last) this.#last._next = stream;
    else this.#first = stream;
    this.#last = stream;
    this.#size += 1;
  }

  /** Takes out a stream that is in this list. */
  remove(stream: Stream): void {
    if (stream._list !== this) return;
    if (stream._previous) stream._previous._next = stream._next;
    else this.#first = stream._next;
    if (stream._next) stream._next._previous = stream._previous;
    else this.#last = stream._previous;
    stream._list = undefined;
    stream._previous = undefined;
    stream._next = undefined;
    this.#size -= 1;
  }
}
