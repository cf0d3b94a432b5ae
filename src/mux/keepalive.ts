// Whether the peer is alive, and how far away: PINGs of its own, because a proxy in between answers those of WebSocket.
// It promises never to call a peer dead for time during which this process stood still, or which the peer had announced.

import type { Deadline } from "../lifecycle/deadlines.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import type { MuxLimits } from "./limits.ts";
import type { LineUse } from "./round-trip.ts";
import { RoundTrip } from "./round-trip.ts";

/** What the keepalive asks of its session. */
export interface KeepaliveOwner {
  /** @internal Sends a PING with this number. */
  _ping(sequence: number): void;
  /** @internal No byte came for too long. */
  _dead(): void;
  /** @internal A round trip was measured. */
  _measured(rttMs: number): void;
}

/** The liveness of one session. */
export class Keepalive {
  readonly #owner: KeepaliveOwner;
  readonly #limits: MuxLimits;
  readonly #roundTrip = new RoundTrip();
  readonly #deadline: Deadline;
  #lastHeardMs: number = performance.now();
  #sequence = 0;
  #pingSentMs = 0;
  #answered = true;
  /** Whether data flowed when the last PING was sent. */
  #use: LineUse = "idle";
  /** When the last PING was sent that has been answered. */
  #answeredSentMs = 0;
  /** When the running probe began; 0 while there is none. */
  #probeStartedMs = 0;
  /** The peer said that it would be silent until then. */
  #silentUntilMs = 0;

  constructor(owner: KeepaliveOwner, runtime: Runtime, limits: MuxLimits) {
    this.#owner = owner;
    this.#limits = limits;
    this.#deadline = runtime.deadlines.create(() => this.#check());
    this.#armNext(this.#lastHeardMs);
  }

  /** The lowest recent round trip in milliseconds; 0 until one was measured. */
  get rttMs(): number {
    return this.#roundTrip.lowestMs;
  }

  /** When the last bytes came, on the clock of `performance.now()`. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** When the last PING was sent that the peer has answered. */
  get answeredSentMs(): number {
    return this.#answeredSentMs;
  }

  /** Bytes came. */
  heard(nowMs: number): void {
    this.#lastHeardMs = nowMs;
  }

  /** Sends a PING now. */
  ping(use: LineUse = "idle"): void {
    this.#use = use;
    this.#sequence += 1;
    this.#pingSentMs = performance.now();
    this.#answered = false;
    this.#owner._ping(this.#sequence);
  }

  /** Data flows: sends a PING unless one was sent lately. */
  freshen(nowMs: number): void {
    if (this.#answered && nowMs - this.#pingSentMs >= this.#roundTrip.freshenMs) this.ping("flowing");
  }

  /** Sends a PING; the peer is dead if not one byte comes within the probe time. */
  probe(): void {
    this.ping();
    if (this.#probeStartedMs !== 0) return;
    this.#probeStartedMs = this.#pingSentMs;
    this.#armNext(this.#pingSentMs);
  }

  /** A PONG came. False if its PING was never sent. */
  pong(sequence: number): boolean {
    if (sequence === 0 || sequence > this.#sequence) return false;
    // Only the last PING is timed; answers to earlier ones are late and say nothing new.
    if (sequence !== this.#sequence || this.#answered) return true;
    const nowMs = performance.now();
    const rttMs = nowMs - this.#pingSentMs;
    this.#answered = true;
    this.#answeredSentMs = this.#pingSentMs;
    this.#roundTrip.sample(rttMs, nowMs, this.#use);
    this.#owner._measured(rttMs);
    return true;
  }

  /** The peer will stand still for `pauseMs`: its silence begins to count after that. */
  announced(pauseMs: number): void {
    this.#silentUntilMs = performance.now() + pauseMs;
    this.#armNext(performance.now());
  }

  /** Ends it. */
  dispose(reason: string): void {
    this.#deadline.dispose(reason);
  }

  #check(): void {
    const nowMs = performance.now();
    if (this.#probeStartedMs !== 0) {
      if (this.#lastHeardMs > this.#probeStartedMs) this.#probeStartedMs = 0;
      else if (nowMs >= this.#silenceCountsFrom(this.#probeStartedMs) + this.#limits.probeMs) {
        this.#owner._dead();
        return;
      }
    }
    if (nowMs >= this.#silenceCountsFrom(this.#lastHeardMs) + this.#limits.deadAfterMs) {
      this.#owner._dead();
      return;
    }
    // 20 % less than the interval: a PING that was sent for another reason lately will do.
    if (nowMs - this.#pingSentMs >= this.#limits.pingMs * 0.8) this.ping();
    this.#armNext(nowMs);
  }

  #armNext(nowMs: number): void {
    const pingMs = this.#limits.pingMs * (0.8 + 0.4 * Math.random());
    const deadMs = this.#silenceCountsFrom(this.#lastHeardMs) + this.#limits.deadAfterMs - nowMs;
    const probeMs =
      this.#probeStartedMs === 0
        ? Infinity
        : this.#silenceCountsFrom(this.#probeStartedMs) + this.#limits.probeMs - nowMs;
    this.#deadline.arm(Math.max(0, Math.min(pingMs, deadMs, probeMs)));
  }

  #silenceCountsFrom(sinceMs: number): number {
    return Math.max(sinceMs, this.#silentUntilMs);
  }

  /** This process stood still. What the peer sent meanwhile is read after this, before any deadline fires. */
  onGap(gapMs: number): void {
    // A sleep that only the wall clock saw is longer than what passed here: nothing may end up in the future.
    const nowMs = performance.now();
    this.#lastHeardMs = Math.min(nowMs, this.#lastHeardMs + gapMs);
    if (this.#probeStartedMs !== 0) this.#probeStartedMs = Math.min(nowMs, this.#probeStartedMs + gapMs);
    this.probe();
  }
}
