// What contestants stand in front of.

/** A running target, in a process of its own. */
export interface Target extends AsyncDisposable {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
}
