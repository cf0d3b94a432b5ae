// What a command's definition needs: settings to fall back to, and who takes the result.

import type { ConfigFile } from "../config/config-shape.ts";
import type { Environment } from "../environment.ts";
import type { Invocation } from "../invocation.ts";

/** Where flags that were not given come from, and where the invocation goes. */
export interface DefinitionContext {
  readonly env: Environment;
  /** The configuration file, if there is one. */
  readonly config: ConfigFile | undefined;
  readonly accept: (invocation: Invocation) => void;
}
