// What carries messages between two sessions: a WebSocket, or a pair in memory for tests.

/** Hears of one transport. Cut by whoever set it when it wants to hear no more. */
export interface TransportReceiver {
  /** One whole binary message, valid during the call only. */
  onMessage(message: Buffer): void;
  /** {@link Transport.unsentBytes} went down. */
  onSent(): void;
  /** Both directions are closed: last call, made exactly once, also after {@link Transport.terminate}. */
  onClosed(code: number, reason: string): void;
  /** Something failed; `onClosed` follows. A violation (E_PROTOCOL) if it was the peer's fault. */
  onError(error: unknown): void;
}

/** Carries whole messages, in order. */
export interface Transport {
  /** How many bytes {@link send} wants in front of each message, for a header of its own. */
  readonly headroomBytes: number;
  /**
   * Takes ownership of `message`, which was lent by the role's memory and is to be given back to it. Its first
   * {@link headroomBytes} are free for the transport, the message ends before `end`. Dropped silently once the transport
   * is closing.
   */
  send(message: Buffer, end: number): void;
  /** Bytes that were sent but not taken by the operating system yet. */
  readonly unsentBytes: number;
  /** Starts an orderly close after what was sent. `code` is a WebSocket close code, `reason` at most 123 bytes. */
  close(code: number, reason: string): void;
  /** Ends it at once; what was not sent is lost. */
  terminate(): void;
  receiver: TransportReceiver | undefined;
}
