#!/usr/bin/env node
// The binary: argv to a command, and how the command ended to an exit code. Loads only what the command needs, so that
// help is fast and a client never loads the server.

import { CaissonError, unreachable } from "../lifecycle/errors.ts";
import { version } from "../assemble/version.ts";
import { parseCommandLine } from "./command-line.ts";
import type { CommandContext } from "./commands/context.ts";
import { exitCodeFor, exitCodes } from "./exit-codes.ts";
import type { Invocation } from "./invocation.ts";
import type { Telemetry } from "./otel.ts";
import { startOtel } from "./otel.ts";
import { Output } from "./output.ts";
import type { Ending } from "./stop-signals.ts";

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const output = new Output({ stdout: process.stdout, stderr: process.stderr, env: process.env });
  // Whichever way the process ends, what was said is told.
  process.once("exit", () => output.flush());
  let json = argv.includes("--json");
  let telemetry: Telemetry | undefined;
  try {
    const write = (text: string): void => output.raw(text);
    const invocation = await parseCommandLine({ argv, env: process.env, version, write });
    json = invocation.command !== "none" && invocation.json;
    telemetry = await startOtel(invocation, { env: process.env, onTrouble: (text) => output.note(text) });
    const tracing = telemetry?.tracing;
    const ending = await run(invocation, { output, env: process.env, signals: process, tracing });
    if (ending.kind === "ended" && ending.error !== undefined) throw ending.error;
    // What a forced end left open must not keep the process alive.
    if (ending.kind === "forced") process.exit(ending.exitCode);
    process.exitCode = ending.kind === "judged" ? ending.exitCode : exitCodes.done;
  } catch (thrown) {
    const error = CaissonError.from(thrown);
    if (json) output.event({ event: "error", code: error.code, message: error.message });
    output.note(`caisson: ${error.message}`);
    // A bug is worth its stack; what a user did or a server refused is not.
    if (error.code === "E_INTERNAL" && error.cause instanceof Error) {
      for (const line of error.cause.stack?.split("\n") ?? []) output.note(line);
    }
    process.exitCode = exitCodeFor(error);
  }
  // A collector that does not answer must not keep the process alive.
  if (telemetry && !(await telemetry.close())) process.exit();
}

async function run(invocation: Invocation, context: CommandContext): Promise<Ending> {
  switch (invocation.command) {
    case "none":
      return { kind: "stopped" };
    case "http": {
      const { runHttp } = await import("./commands/http.ts");
      return runHttp(invocation, context);
    }
    case "start": {
      const { runStart } = await import("./commands/start.ts");
      return runStart(invocation, context);
    }
    case "config": {
      const { runConfig } = await import("./commands/config.ts");
      return runConfig(invocation, context);
    }
    case "serve": {
      const { runServe } = await import("./commands/serve.ts");
      return runServe(invocation, context);
    }
    case "demo": {
      const { runDemo } = await import("./commands/demo.ts");
      return runDemo(invocation, context);
    }
    case "token": {
      const { runToken } = await import("./commands/token.ts");
      return runToken(invocation, context);
    }
    case "diag": {
      const { runDiag } = await import("./commands/diag.ts");
      return runDiag(invocation, context);
    }
    case "gate": {
      const { runGateCommand } = await import("./commands/gate.ts");
      return runGateCommand(invocation, context);
    }
    default:
      return unreachable(invocation);
  }
}

await main();
