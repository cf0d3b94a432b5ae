// How windows grow and settle, in a model of long lines: fast where they are what limits, near to what the line carries
// where that does, and never beyond their budgets.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { GrowthBudget } from "../../src/mux/growth-budget.ts";
import { initialWindowBytes } from "../../src/wire/limits.ts";
import { LineModel } from "../support/line-model.ts";

const mib = 1_048_576;
const most = 8 * mib;
const second = 1000;

/** One stream over one line, until nothing changes any more. */
function settled(roundTripMs: number, bytesPerMs: number): { model: LineModel; window: number; bytesPerMs: number } {
  const model = new LineModel({ roundTripMs, bytesPerMs });
  const [stream] = model.streams;
  assert.ok(stream);
  model.run(10 * second);
  const before = stream.delivered;
  model.run(5 * second);
  return { model, window: stream._window, bytesPerMs: (stream.delivered - before) / (5 * second) };
}

describe("a window", () => {
  for (const roundTripMs of [20, 100, 300]) {
    for (const bytesPerMs of [1000, 10_000, 100_000, 1_000_000]) {
      const onItsWay = roundTripMs * bytesPerMs;
      const line = `a line of ${roundTripMs} ms and ${bytesPerMs / 1000} MB/s`;

      it(`settles near what ${line} carries`, () => {
        const found = settled(roundTripMs, bytesPerMs);
        const covered = Math.max(onItsWay * 1.25, onItsWay + 10 * bytesPerMs);
        assert.ok(found.window >= Math.min(most, onItsWay), `${found.window} of ${onItsWay}`);
        assert.ok(found.window <= Math.max(initialWindowBytes, Math.min(most, covered * 1.1)), `${found.window}`);
        // A sixteenth of the window may be on its way back.
        const possible = Math.min(bytesPerMs, (most / roundTripMs) * (15 / 16));
        assert.ok(found.bytesPerMs >= 0.95 * possible, `${found.bytesPerMs} of ${possible}`);
        assert.ok(found.model.queueMs <= Math.max(covered * 1.1, initialWindowBytes) / bytesPerMs - roundTripMs + 1);
      });

      it(`about doubles with each round trip of ${line} until then`, () => {
        const model = new LineModel({ roundTripMs, bytesPerMs });
        const [stream] = model.streams;
        assert.ok(stream);
        const wanted = Math.min(most, onItsWay);
        // The request, the first step, and a round trip and a half for each doubling at most.
        const doublings = Math.max(0, Math.log2(wanted / initialWindowBytes));
        model.run((3 + 1.5 * doublings) * roundTripMs + wanted / bytesPerMs);
        assert.ok(stream._window >= wanted, `${stream._window} of ${wanted}`);
        assert.ok(stream._window <= Math.max(2 * initialWindowBytes, 4 * wanted), `${stream._window} of ${wanted}`);
      });
    }
  }

  it("does not follow the queue that it makes itself", () => {
    const model = new LineModel({ roundTripMs: 100, bytesPerMs: 10_000 });
    const [stream] = model.streams;
    assert.ok(stream);
    model.run(120 * second);
    assert.ok(stream._window <= 1.4 * 1_000_000, `${stream._window}`);
  });

  it("that was wide becomes narrow for a reader that stood still for ten seconds", () => {
    // Asleep for ever after 50 ms, but for a moment between two pauses.
    const model = new LineModel({
      roundTripMs: 20,
      bytesPerMs: 100_000,
      limits: { stallMs: 500 },
      pausesMs: [1, 1, 700],
    });
    const [stream] = model.streams;
    assert.ok(stream);
    let narrowest = Infinity;
    model.run(150);
    assert.ok(stream._window > 4 * initialWindowBytes, `${stream._window}`);
    model.onStep = () => (narrowest = Math.min(narrowest, stream._window));
    model.run(2 * second);
    assert.equal(narrowest, initialWindowBytes);
    assert.ok(stream._window > 4 * initialWindowBytes, "and grows again");
  });

  it("follows a reader that is slower than the line", () => {
    // It stands still for two thirds of the time.
    const model = new LineModel({
      roundTripMs: 20,
      bytesPerMs: 50_000,
      pausesMs: Array.from({ length: 100 }, () => 100),
    });
    const [stream] = model.streams;
    assert.ok(stream);
    model.run(10 * second);
    assert.ok(stream.delivered > 10 * second * 1000, `${stream.delivered}`);
  });
});

describe("windows together", () => {
  it("never exceed a budget, and give everything back", () => {
    const plan = fc.record({
      roundTripMs: fc.integer({ min: 1, max: 400 }),
      bytesPerMs: fc.integer({ min: 100, max: 200_000 }),
      streams: fc.integer({ min: 1, max: 5 }),
      pausesMs: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 30 }),
      limits: fc.record({
        maxWindowBytes: fc.integer({ min: initialWindowBytes, max: most }),
        sessionGrowthBytes: fc.integer({ min: 0, max: 16 * mib }),
        stallMs: fc.constantFrom(200, 10_000),
      }),
      budgetBytes: fc.integer({ min: 0, max: 16 * mib }),
    });
    fc.assert(
      fc.property(plan, ({ budgetBytes, ...line }) => {
        const budget = new GrowthBudget(budgetBytes);
        const model = new LineModel({ ...line, budget });
        model.onStep = (stream) => {
          assert.ok(stream._window >= initialWindowBytes && stream._window <= line.limits.maxWindowBytes);
          assert.ok(Number.isInteger(stream._window) && stream._receiveCredit >= 0 && stream._owed === 0);
          const grown = model.streams.reduce((sum, { _window }) => sum + _window - initialWindowBytes, 0);
          assert.equal(model.windows.grownBytes, grown);
          assert.equal(budget.grantedBytes, grown);
          assert.ok(grown <= line.limits.sessionGrowthBytes && grown <= budgetBytes);
        };
        model.run(2 * second);
        const delivered = model.streams.map((stream) => stream.delivered);
        model.run(20 * second);
        for (const [index, stream] of model.streams.entries()) {
          assert.ok(stream.delivered > (delivered[index] ?? 0), "it moves");
          model.windows.release(stream);
        }
        assert.equal(model.windows.grownBytes, 0);
        assert.equal(budget.grantedBytes, 0);
      }),
      { numRuns: 25 },
    );
  });
});
