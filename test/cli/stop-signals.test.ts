import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import type { Running } from "../../src/cli/stop-signals.ts";
import { runUntilStopped } from "../../src/cli/stop-signals.ts";

/** Something that runs, and closes gracefully only when it is told to. */
class FakeRunning implements Running {
  readonly closes: boolean[] = [];
  readonly ended: Promise<unknown>;
  end: (error: unknown) => void = () => undefined;
  drained: () => void = () => undefined;
  readonly #drain: Promise<void>;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
    this.#drain = new Promise((resolve) => {
      this.drained = resolve;
    });
  }

  close(options: { readonly force?: boolean } = {}): Promise<void> {
    this.closes.push(options.force === true);
    if (options.force === true) this.drained();
    return this.#drain;
  }
}

async function turns(): Promise<void> {
  for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

test("it ends when what runs ends by itself, with its error", async () => {
  const signals = new EventEmitter();
  const running = new FakeRunning();
  const ending = runUntilStopped(async () => running, { signals });
  await turns();
  const error = new Error("lost");
  running.end(error);
  assert.deepEqual(await ending, { kind: "ended", error });
  assert.equal(signals.listenerCount("SIGINT") + signals.listenerCount("SIGTERM"), 0);
});

test("one signal closes gracefully and does not abort what runs", async () => {
  const signals = new EventEmitter();
  const running = new FakeRunning();
  const stopping: string[] = [];
  let aborted = false;
  const start = async (signal: AbortSignal): Promise<Running> => {
    signal.addEventListener("abort", () => void (aborted = true));
    return running;
  };
  const ending = runUntilStopped(start, { signals, onStopping: (signal) => void stopping.push(signal) });
  await turns();
  signals.emit("SIGTERM", "SIGTERM");
  await turns();
  assert.deepEqual(running.closes, [false]);
  assert.deepEqual(stopping, ["SIGTERM"]);
  running.drained();
  assert.deepEqual(await ending, { kind: "stopped" });
  assert.equal(aborted, false);
});

for (const [second, exitCode] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  test(`a second signal, ${second}, forces the end with ${exitCode}`, async () => {
    const signals = new EventEmitter();
    const running = new FakeRunning();
    const ending = runUntilStopped(async () => running, { signals });
    await turns();
    signals.emit("SIGINT", "SIGINT");
    await turns();
    signals.emit(second, second);
    assert.deepEqual(await ending, { kind: "forced", exitCode });
    assert.deepEqual(running.closes, [false, true]);
  });
}

test("a signal during the start aborts it", async () => {
  const signals = new EventEmitter();
  const start = (signal: AbortSignal): Promise<Running> =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  const ending = runUntilStopped(start, { signals });
  signals.emit("SIGINT", "SIGINT");
  assert.deepEqual(await ending, { kind: "stopped" });
});

test("a start that cannot be aborted is forced by the second signal", async () => {
  const signals = new EventEmitter();
  const ending = runUntilStopped(() => new Promise(() => undefined), { signals });
  signals.emit("SIGINT", "SIGINT");
  await turns();
  signals.emit("SIGINT", "SIGINT");
  assert.deepEqual(await ending, { kind: "forced", exitCode: 130 });
});

test("a start that fails by itself is the caller's error", async () => {
  const signals = new EventEmitter();
  const start = (): Promise<Running> => Promise.reject(new Error("no room"));
  await assert.rejects(runUntilStopped(start, { signals }), /no room/);
  assert.equal(signals.listenerCount("SIGINT"), 0);
});
