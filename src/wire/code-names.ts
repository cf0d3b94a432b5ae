// From the numbers of codes.ts back to their names. Unknown numbers come from newer peers and have a safe meaning.

import type { GoAwayReason, ResetReason } from "./codes.ts";
import { goAwayCodes, resetCodes } from "./codes.ts";

const resetReasons: readonly ResetReason[] = namesByCode(resetCodes);
const goAwayReasons: readonly GoAwayReason[] = namesByCode(goAwayCodes);

/** The name of a RESET code; unknown ones are `internal`. */
export function resetReasonOf(code: number): ResetReason {
  return resetReasons[code] ?? "internal";
}

/** The name of a GOAWAY code; unknown ones are `shutdown`. */
export function goAwayReasonOf(code: number): GoAwayReason {
  return goAwayReasons[code] ?? "shutdown";
}

function namesByCode<Name extends string>(codes: Readonly<Record<Name, number>>): readonly Name[] {
  const names: Name[] = [];
  for (const name in codes) names[codes[name]] = name;
  return names;
}
