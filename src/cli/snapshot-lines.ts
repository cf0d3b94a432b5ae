// What the command line says of heap snapshots: a sentence for each that was taken or refused, and an answer to SIGUSR2
// where nothing takes them, so that the signal never ends the process, which is what it does to a Node program by default.

import type { SnapshotNews } from "../leaks/snapshot-entry.ts";
import { snapshotWarning } from "../leaks/snapshot-entry.ts";
import type { Log } from "../observe/log.ts";
import { formatBytes, formatMs } from "./quantities.ts";
import type { SignalSource } from "./stop-signals.ts";

const noTakerText =
  "SIGUSR2 asks for a heap snapshot, and there is no private listener that takes one: start with --admin HOST:PORT";

/** One sentence for people, and the warning about what a snapshot holds. */
export function snapshotText({ trigger, engine, result }: SnapshotNews): string {
  const how = `${engine}, asked for by ${trigger}`;
  if (!result.ok) return `no heap snapshot (${how}): ${result.refusal.message}`;
  const { id, bytes, stallMs } = result.entry;
  const stall = stallMs === undefined ? "" : `, after standing still for ${formatMs(stallMs)}`;
  return `heap snapshot ${id} taken (${how}): ${formatBytes(bytes)}${stall}. ${snapshotWarning}`;
}

/** The same as a line of the log, with what scripts need. */
export function logSnapshot(log: Log, news: SnapshotNews): void {
  const { trigger, engine, result } = news;
  const asked = { event: "heap_snapshot", trigger, engine };
  if (result.ok) {
    const { id, bytes, stallMs } = result.entry;
    log.line("info", snapshotText(news), { ...asked, result: "ok", id, bytes, stallMs: Math.round(stallMs ?? 0) });
  } else {
    log.line("warn", snapshotText(news), { ...asked, result: result.refusal.code, reason: result.refusal.message });
  }
}

/** Says how to get snapshots when SIGUSR2 comes and nothing else heeds it. For the rest of the process's life. */
export function answerSnapshotSignal(signals: SignalSource, notice: (text: string) => void): void {
  // Windows has no such signal.
  if (process.platform === "win32") return;
  signals.on("SIGUSR2", () => {
    if (signals.listenerCount("SIGUSR2") === 1) notice(noTakerText);
  });
}
