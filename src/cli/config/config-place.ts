// Which configuration file a command line means: the one that it names, that CAISSON_CONFIG names, or the usual one if it
// is there. Loads nothing of what reads it.

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Environment } from "../environment.ts";
import { variableOf } from "../environment.ts";

/** `$XDG_CONFIG_HOME/caisson/config.yaml`, or `~/.config/caisson/config.yaml`. */
export function usualConfigFile(env: Environment): string {
  const configured = env["XDG_CONFIG_HOME"] ?? "";
  return join(isAbsolute(configured) ? configured : join(homedir(), ".config"), "caisson", "config.yaml");
}

/** The file that arguments and environment mean; undefined if there is none to read. */
export function configFileOf(argv: readonly string[], env: Environment): string | undefined {
  for (const [at, argument] of argv.entries()) {
    if (argument === "--") break;
    if (argument === "--config") return argv[at + 1];
    if (argument.startsWith("--config=")) return argument.slice("--config=".length);
  }
  const named = env[variableOf("config")];
  if (named !== undefined && named !== "") return named;
  const usual = usualConfigFile(env);
  return existsSync(usual) ? usual : undefined;
}
