// Before a leak is told, the process is left alone for a while and read once more: what a server keeps of a client that left,
// such as the timer of a late close, is gone by then, and what grows by itself is then all that still grows.

import { setTimeout } from "node:timers/promises";

/** How long, in milliseconds, unless told otherwise: timers of 30 s have run out by then. */
export const usualRestMs = 32_000;

/** What a person is told meanwhile. */
export function restNote(ms: number): string {
  return `something grew: it is read again ${ms / 1_000} s after the last client, before it is called a leak`;
}

/** How often a rest is interrupted to look whether it still makes sense. Milliseconds. */
const lookMs = 1_000;

/**
 * Waits until so long after a time on the clock of `performance.now()`. `check` is called now and then; what it throws ends the wait,
 * and so does the signal.
 */
export async function restUntil(
  atMs: number,
  { check, signal }: { readonly check?: () => void; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  for (;;) {
    check?.();
    const leftMs = atMs - performance.now();
    if (leftMs <= 0) return;
    await setTimeout(Math.min(leftMs, lookMs), undefined, signal && { signal });
  }
}
