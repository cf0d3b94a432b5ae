// One piece of what a stream wants to send: a buffer by reference, until it is copied into a message.

/** A link of a stream's queue. The mux makes one per head, chunk and trailer section; nothing else holds it. */
export class Outgoing {
  /** A frame type of wire/frame.ts. */
  readonly type: number;
  readonly buffer: Buffer;
  /** The stream's half ends with it. */
  end: boolean;
  /** For DATA: how many bytes have left already. */
  sent = 0;
  next: Outgoing | undefined = undefined;

  constructor(type: number, buffer: Buffer, end: boolean) {
    this.type = type;
    this.buffer = buffer;
    this.end = end;
  }
}

/** The payload of an END that rides on nothing. */
export const emptyBuffer: Buffer = Buffer.alloc(0);
