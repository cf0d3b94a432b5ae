// What waits in the sessions of a role, summed up when somebody asks: queues that no ledger counts, because what stands in
// them is no resource. It allocates nothing per session, because a server may have ten thousand of them.

import type { Session } from "./session.ts";

/** The probe whose size is what all sessions have buffered, in bytes. */
export const bufferedProbe = "sessions.buffered_bytes";

/** The sums over some sessions. Made for one reading, and thrown away. */
export class SessionTally {
  #unansweredResets = 0;
  #outboxStreams = 0;
  #outboxControlFrames = 0;
  #bufferedBytes = 0;

  add(session: Session): void {
    const { _table, _outbox } = session;
    this.#unansweredResets += _table.unanswered;
    this.#outboxStreams += _outbox.waiting;
    this.#outboxControlFrames += _outbox.control.size;
    this.#bufferedBytes += session.bufferedBytes;
  }

  /** The sums, by the names of probes: zero where nothing is under way. */
  get probes(): Readonly<Record<string, number>> {
    return {
      [bufferedProbe]: this.#bufferedBytes,
      "sessions.unanswered_resets": this.#unansweredResets,
      "sessions.outbox_streams": this.#outboxStreams,
      "sessions.outbox_control_frames": this.#outboxControlFrames,
    };
  }
}
