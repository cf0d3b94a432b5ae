// Rigs beside an SDK that keeps every span: what ran on one must have ended every span that it began.

import assert from "node:assert/strict";
import type { RecordedSpans } from "./recorded-spans.ts";
import type { RigOptions } from "./rig.ts";
import { Rig } from "./rig.ts";

/** Runs something on a fresh rig and closes it, which asserts that every span has ended. */
export type OnTracedRig = (options: RigOptions, act: (rig: Rig) => Promise<void>) => Promise<void>;

/** Rigs whose spans are those of `recorded`. */
export function tracedRigs(recorded: RecordedSpans): OnTracedRig {
  return async (options, act) => {
    recorded.clear();
    const rig = await Rig.start(options);
    try {
      await act(rig);
    } finally {
      await rig.close();
    }
    assert.equal(recorded.ended.length, recorded.started, "every span that was begun has ended");
  };
}
