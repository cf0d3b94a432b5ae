// What every report is made from: the verdict, the samples and the facts of the run. Plain data that survives JSON.

import type { Verdict } from "../verdict/finding.ts";
import type { Sample } from "../verdict/sample.ts";

/** What one scenario did in the whole run. */
export interface ScenarioFacts {
  readonly name: string;
  readonly title: string;
  readonly rounds: number;
  readonly connections: number;
  readonly requests: number;
}

/** Where and how a run was made. */
export interface RunFacts {
  /** Version of Caisson. */
  readonly version: string;
  /** Commit of what was tested, where it is known. */
  readonly commit?: string;
  /** What was tested, for people: its own server, a URL, an inspector address. Never with a secret in it. */
  readonly subject: string;
  /** Version of the Node that was measured, such as `v24.1.0`. */
  readonly node: string;
  readonly host: {
    readonly platform: string;
    readonly arch: string;
    readonly cpus: number;
    readonly cpuModel: string;
    /** Bytes. */
    readonly memory: number;
  };
  readonly seed: number;
  /** `quiet` V8 flags gate; the default `jit` reports. */
  readonly mode: "quiet" | "jit";
  /** V8 flags that the measured process ran with. */
  readonly flags: readonly string[];
  /** ISO 8601. */
  readonly startedAt: string;
  readonly elapsedMs: number;
  readonly scenarios: readonly ScenarioFacts[];
  /** Whether an undecided run fails a build. */
  readonly undecided: "pass" | "fail";
  /** How to run the same again. */
  readonly command?: string;
}

/** A finished run. */
export interface GateReport {
  readonly verdict: Verdict;
  readonly samples: readonly Sample[];
  readonly facts: RunFacts;
  /** Why the run itself failed, the first line a sentence; what follows is what the process said last. */
  readonly failure?: string;
  /** Samples of the long-lived client process, one for each of the server's; its findings are in the verdict too. */
  readonly client?: readonly Sample[];
  /** The same work with the default JIT, which is reported and never gates. */
  readonly jit?: { readonly verdict: Verdict; readonly samples: readonly Sample[] };
}
