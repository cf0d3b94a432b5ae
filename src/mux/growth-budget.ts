// How much memory the streams of one role may make it hold beyond their first 64 KiB each: one per server, shared by
// its sessions. It promises that granted growth never exceeds the limit, and says when new streams should be refused.

/** A role's account of window growth and of bytes that were received but not consumed yet. */
export class GrowthBudget {
  readonly limitBytes: number;
  #grantedBytes = 0;
  #unconsumedBytes = 0;

  /** `limitBytes` for both accounts. */
  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Window growth that is granted now. */
  get grantedBytes(): number {
    return this.#grantedBytes;
  }

  /** Received bytes whose readers have not taken them. */
  get unconsumedBytes(): number {
    return this.#unconsumedBytes;
  }

  /** True while so much is unconsumed that new streams should be refused. */
  get exhausted(): boolean {
    return this.#unconsumedBytes >= this.limitBytes;
  }

  /** Grants up to `bytes` of growth; answers how much. */
  grant(bytes: number): number {
    if (this.exhausted) return 0;
    const granted = Math.min(bytes, this.limitBytes - this.#grantedBytes);
    this.#grantedBytes += granted;
    return granted;
  }

  /** Takes growth back. */
  giveBack(bytes: number): void {
    this.#grantedBytes -= bytes;
  }

  /** @internal Received bytes wait for their reader. */
  _received(bytes: number): void {
    this.#unconsumedBytes += bytes;
  }

  /** @internal They were taken, or dropped. */
  _consumed(bytes: number): void {
    this.#unconsumedBytes -= bytes;
  }
}
