// The V8 flags under which a healthy heap stands still: no compiled code, no feedback that grows with use, no byte code that
// is made at a first use or thrown away with age. Collections are done by one thread: on a busy machine its helpers keep it
// waiting, and the gate forces hundreds of them. Flags that this Node does not know are left out.

import { spawnSync } from "node:child_process";

const wanted: readonly string[] = [
  "--no-opt",
  "--no-sparkplug",
  "--no-maglev",
  "--no-lazy-feedback-allocation",
  "--no-flush-bytecode",
  "--no-lazy",
  "--regexp-interpret-all",
  "--no-compilation-cache",
  "--single-threaded-gc",
];

/** Those of the quiet flags that this Node takes. */
export function quietFlags(): readonly string[] {
  return accepts(wanted) ? wanted : wanted.filter((flag) => accepts([flag]));
}

function accepts(flags: readonly string[]): boolean {
  return spawnSync(process.execPath, [...flags, "--eval", "0"], { stdio: "ignore" }).status === 0;
}
