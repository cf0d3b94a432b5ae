// The V8 flags under which a healthy heap stands still: no compiled code and no feedback that grows with use.
// Flags that this Node does not know are left out.

import { spawnSync } from "node:child_process";

const wanted: readonly string[] = ["--no-opt", "--no-sparkplug", "--no-maglev", "--no-lazy-feedback-allocation"];

/** Those of the quiet flags that this Node takes. */
export function quietFlags(): readonly string[] {
  return accepts(wanted) ? wanted : wanted.filter((flag) => accepts([flag]));
}

function accepts(flags: readonly string[]): boolean {
  return spawnSync(process.execPath, [...flags, "--eval", "0"], { stdio: "ignore" }).status === 0;
}
