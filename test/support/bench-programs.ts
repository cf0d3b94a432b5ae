// What the benches that stand beside nginx need: Linux, for /proc, and two Debian programs.

import type { SkipOption } from "./debian.ts";
import { needs } from "./debian.ts";

/** To be spread into the options of their tests. Throws under CI if a program is missing. */
export function needsBenchPrograms(): SkipOption {
  if (process.platform !== "linux") return { skip: "needs Linux: costs are read from /proc" };
  const nginx = needs("nginx");
  return nginx.skip === false ? needs("wrk") : nginx;
}
