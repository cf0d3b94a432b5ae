// How long to wait before the next login. Pure: the caller brings the randomness and owns the timer.
// Every delay is jittered over its full range, so that the clients of a restarted server do not return together.

/** The first retry comes after a random delay of at most this, in milliseconds: a short interruption should stay short. */
export const firstDelayMs = 1_000;
/** Later retries: random up to this times 2^n, in milliseconds. */
export const baseDelayMs = 500;
/** No retry waits for longer than this by itself, in milliseconds. */
export const longestDelayMs = 60_000;
/** A longer Retry-After is cut to this, in milliseconds: an answer must not silence a client for days. */
export const longestRetryAfterMs = 600_000;

/** Counts failures in a row and turns them into delays. */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** `random` answers numbers from 0 to just below 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** How many delays were handed out since the last {@link reset}. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * The next delay in milliseconds. `retryAfterMs` is what the server asked for, 0 if nothing: it is obeyed as the
   * least delay, up to {@link longestRetryAfterMs}, and the jitter comes on top of it.
   */
  nextDelayMs(retryAfterMs = 0): number {
    const failures = this.#failures;
    this.#failures += 1;
    const ceilingMs = failures === 0 ? firstDelayMs : Math.min(longestDelayMs, baseDelayMs * 2 ** failures);
    return Math.min(longestRetryAfterMs, Math.max(0, retryAfterMs)) + this.#random() * ceilingMs;
  }

  /** The connection has proven itself: the next delay is a first one again. */
  reset(): void {
    this.#failures = 0;
  }
}

/** The delay that a Retry-After field asks for, in milliseconds, in either of its forms; 0 if it is absent or unreadable. */
export function parseRetryAfter(value: string | undefined, nowWallMs: number): number {
  if (value === undefined) return 0;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Only the date forms of RFC 9110 section 5.6.7 begin with a day's name; Date.parse alone takes far more than dates.
  if (!/^[A-Z][a-z]{2}/.test(text)) return 0;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - nowWallMs);
}
