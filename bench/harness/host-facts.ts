// What figures depend on besides the program: to be kept with them.

import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
import { version } from "../../src/assemble/version.ts";

/** Facts about this machine and the programs that were measured. */
export interface HostFacts {
  readonly caisson: string;
  readonly node: string;
  readonly v8: string;
  readonly system: string;
  readonly processor: string;
  readonly processors: number;
  readonly memoryBytes: number;
  /** One minute's load when the facts were read: above the number of processors, others were measured too. */
  readonly load: number;
  readonly at: string;
}

/** Reads them. */
export function hostFacts(): HostFacts {
  return {
    caisson: version,
    node: process.version,
    v8: process.versions.v8,
    system: `${platform()} ${release()} ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    at: new Date().toISOString(),
  };
}
