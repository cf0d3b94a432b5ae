// What a scenario is: a small file that says what one round does. It checks every body, leaves nothing behind on purpose, and
// draws all its choices from the run's randomness.

import type { Ground } from "../ground.ts";

/** What one round did. */
export interface RoundResult {
  /** Clients that connected and are gone again. */
  readonly connections: number;
  /** Requests that were answered, cut or aborted as they should. */
  readonly requests: number;
}

/** One scenario. */
export interface Scenario {
  /** For `--scenario`. */
  readonly name: string;
  readonly title: string;
  /** Its share of a run's clients, relative to the others. */
  readonly weight: number;
  /** Whether every round has it; the others take turns. */
  readonly everyRound: boolean;
  /** Whether the server finds out about what it left only after its dead-after time, or holds names of it for a while. */
  readonly lingers: boolean;
  /** Carries out one round with `size` clients. Rejects with E_GATE if anything was not as it should be. */
  round(ground: Ground, size: number): Promise<RoundResult>;
}
