// Every scenario there is, in the order in which a round carries them out. Those whose remains take longest come first, so that
// they expire while the others go on.

import { aborts } from "./aborts.ts";
import { clean } from "./clean.ts";
import { dyingTargets } from "./dying-targets.ts";
import { halfOpen } from "./half-open.ts";
import { killed } from "./killed.ts";
import { requests } from "./requests.ts";
import type { Scenario } from "./scenario.ts";
import { slowReaders } from "./slow-readers.ts";
import { storm } from "./storm.ts";
import { takeOver } from "./take-over.ts";
import { webSockets } from "./web-sockets.ts";

/** All scenarios. */
export const scenarios: readonly Scenario[] = [
  halfOpen,
  killed,
  storm,
  takeOver,
  aborts,
  slowReaders,
  webSockets,
  dyingTargets,
  requests,
  clean,
];

/** The name of the run without a server, which proves that the load generator itself does not leak. */
export const nullScenario = "null";
/** What the short form does. */
export const quickScenarios: readonly string[] = ["clean", "requests"];
