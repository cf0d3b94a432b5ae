// `caisson config`: checks a configuration file and tells every problem with its place, or prints the schema for editors.

import { CaissonError } from "../../lifecycle/errors.ts";
import { checkConfig } from "../config/config-file.ts";
import { configFileOf, usualConfigFile } from "../config/config-place.ts";
import { problemText } from "../config/problems.ts";
import { configJsonSchema } from "../config/schema.ts";
import type { ConfigInvocation } from "../invocation.ts";
import type { Ending } from "../stop-signals.ts";
import type { CommandContext } from "./context.ts";

/** Runs the command. Throws E_CONFIG for a file that cannot be used. */
export async function runConfig(invocation: ConfigInvocation, context: CommandContext): Promise<Ending> {
  if (invocation.action === "schema") context.output.raw(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
  else await check(invocation, context);
  return { kind: "stopped" };
}

async function check(
  { file, json }: { readonly file: string | undefined; readonly json: boolean },
  { output, env }: CommandContext,
): Promise<void> {
  const place = file ?? configFileOf([], env) ?? usualConfigFile(env);
  const { config, problems } = await checkConfig(place);
  if (config) {
    const count = config.tunnels.length;
    if (json) output.event({ event: "checked", file: place, tunnels: count });
    else output.line(`${place}: good, with ${count} tunnel${count === 1 ? "" : "s"}`);
    return;
  }
  for (const problem of problems) {
    if (json) output.event({ event: "problem", file: place, ...problem });
    else output.note(problemText(place, problem));
  }
  const count = problems.length;
  throw new CaissonError("E_CONFIG", `${place} has ${count} problem${count === 1 ? "" : "s"}`);
}
