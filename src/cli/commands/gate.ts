// `caisson gate`: runs the leak gate, prints its answer and writes its reports. The gate itself is loaded from bench/.

import { access, constants, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { GateReport } from "../../../bench/gate/reports/run-facts.ts";
import type { GateRequest } from "../../../bench/gate/options.ts";
import type { GateRun, RunContext } from "../../../bench/gate/run.ts";
import type { Outcome } from "../../../bench/gate/verdict/finding.ts";
import { checkTokenTransport, parseServerAddress } from "../../client/server-address.ts";
import { CaissonError, messageOf, systemCodeOf } from "../../lifecycle/errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { given } from "../given.ts";
import type { GateInvocation, GateReportFormat } from "../invocation.ts";
import type { Ending, Running } from "../stop-signals.ts";
import { runUntilStopped } from "../stop-signals.ts";
import { adminTokenFile } from "./admin.ts";
import { readText, readToken } from "./client-ground.ts";
import type { CommandContext } from "./context.ts";

/** Runs the command. Throws E_GATE when the run failed, E_ABORTED when a signal ended it, E_CONFIG for files. */
export async function runGateCommand(invocation: GateInvocation, context: CommandContext): Promise<Ending> {
  await checkReportFiles(invocation);
  let run: GateRun | undefined;
  const start = async (signal: AbortSignal): Promise<Running> => {
    run = await carryOut(invocation, context, signal);
    return { close: async () => undefined, ended: Promise.resolve(undefined) };
  };
  const onStopping = (): void => context.output.note("Ending the processes of the run.");
  const ending = await runUntilStopped(start, { signals: context.signals, onStopping });
  if (ending.kind === "forced") return ending;
  if (!run) throw new CaissonError("E_ABORTED", "a signal ended the run; nothing was decided");
  await tell(run.report, invocation, context);
  const unwritten = await writeReports(run.report, invocation);
  const { outcome } = run.report.verdict;
  // What was found counts, whoever can read of it.
  if (unwritten && outcome !== "leak" && !run.failure) throw unwritten;
  if (unwritten) context.output.note(unwritten.message);
  return { kind: "judged", exitCode: gateExitCode({ outcome, failure: run.failure }, invocation) };
}

async function carryOut(
  invocation: GateInvocation,
  { output, env }: CommandContext,
  signal: AbortSignal,
): Promise<GateRun> {
  const { Progress } = await import("../../../bench/gate/progress.ts");
  const { attach, driver, preset, clients, rounds, patience, restMs, undecided } = invocation;
  const progress = new Progress(output.stderr, { plain: env["TERM"] === "dumb" });
  const context: RunContext = { progress, signal };
  const common = {
    preset,
    undecided,
    ...given("clients", clients),
    ...given("rounds", rounds),
    ...given("patience", patience),
    ...given("restMs", restMs),
  };
  if (attach !== undefined && driver !== undefined) {
    const { runAttachedGate } = await import("../../../bench/gate/attach/attached-gate.ts");
    const { inspectorHost } = await import("../../../bench/gate/attach/inspector-address.ts");
    // Whoever knows the whole address of an inspector may run anything in its process.
    const command = commandOf((word) => word.replace(attach, inspectorHost(attach)));
    return runAttachedGate({ ...common, command, attach, driver }, context);
  }
  const { runGate } = await import("../../../bench/gate/run.ts");
  const request: GateRequest = {
    ...common,
    command: commandOf((word) => word),
    scenarios: invocation.scenarios,
    ...given("rate", invocation.rate),
    ...given("seed", invocation.seed),
    ...given("importServer", invocation.importServer),
    ...given("importClient", invocation.importClient),
    ...given("running", await runningServer(invocation, { output, env })),
  };
  return runGate(request, context);
}

async function runningServer(
  invocation: GateInvocation,
  { output, env }: Pick<CommandContext, "output" | "env">,
): Promise<GateRequest["running"]> {
  const { server, admin, domain, plaintext } = invocation;
  if (server === undefined || admin === undefined) return undefined;
  const address = parseServerAddress(server);
  if (address.secure) {
    throw new CaissonError(
      "E_USAGE",
      `the gate speaks no TLS: give the address at which the server listens without it, not ${address.text}`,
    );
  }
  const token = await readToken(invocation, { env, onWarning: (text) => output.note(text) });
  if (token !== undefined) checkTokenTransport(address, plaintext);
  const adminToken = (await readText(invocation.adminTokenFile ?? adminTokenFile(env), "--admin-token-file")).trim();
  return { url: server, admin, adminToken, ...given("domain", domain), ...given("token", token) };
}

/** What to type for the same run again; `told` says how each word may be told. */
function commandOf(told: (word: string) => string): string {
  const words = process.argv.slice(2).map(told);
  return ["caisson", ...words.map((word) => (/^[\w.,:/=@-]+$/u.test(word) ? word : JSON.stringify(word)))].join(" ");
}

/** Writes every report that was asked for; resolves with the first that could not be. */
async function writeReports(report: GateReport, invocation: GateInvocation): Promise<CaissonError | undefined> {
  const formats = await loadFormats();
  let unwritten: CaissonError | undefined;
  for (const format of reportFormats) {
    const file = invocation.reports[format];
    if (file === undefined) continue;
    try {
      await writeFile(file, formats[format](report));
    } catch (error) {
      unwritten ??= new CaissonError("E_CONFIG", `cannot write ${file}: ${messageOf(error)}`, { cause: error });
    }
  }
  return unwritten;
}

/** A run takes minutes: what its reports cannot be written to is better known before. Throws E_CONFIG. */
async function checkReportFiles({ reports }: GateInvocation): Promise<void> {
  for (const file of Object.values(reports)) {
    try {
      await access(file, constants.W_OK).catch((error: unknown) => {
        if (systemCodeOf(error) !== "ENOENT") throw error;
        return access(dirname(resolve(file)), constants.W_OK);
      });
    } catch (error) {
      throw new CaissonError("E_CONFIG", `cannot write ${file}: ${messageOf(error)}`, { cause: error });
    }
  }
}

async function tell(report: GateReport, invocation: GateInvocation, { output }: CommandContext): Promise<void> {
  if (invocation.json) {
    const { reportJson } = await loadFormats();
    output.raw(`${reportJson(report).trimEnd()}\n`);
    return;
  }
  const { table } = await import("../../../bench/gate/reports/table.ts");
  output.raw(`${table(report).trimEnd()}\n`);
}

const reportFormats: readonly GateReportFormat[] = ["reportJson", "junit", "markdown", "html", "benchmark"];

async function loadFormats(): Promise<Readonly<Record<GateReportFormat, (report: GateReport) => string>>> {
  const [{ json }, { junit }, { markdown }, { html }, { benchmarkArray }] = await Promise.all([
    import("../../../bench/gate/reports/json.ts"),
    import("../../../bench/gate/reports/junit.ts"),
    import("../../../bench/gate/reports/markdown.ts"),
    import("../../../bench/gate/reports/html/page.ts"),
    import("../../../bench/gate/reports/benchmark-array.ts"),
  ]);
  return { reportJson: json, junit, markdown, html, benchmark: benchmarkArray };
}

/**
 * The exit code that a run's outcome means.
 * @throws the run's failure, where there is no leak that may explain it
 */
export function gateExitCode(
  { outcome, failure }: { readonly outcome: Outcome; readonly failure: CaissonError | undefined },
  { undecided }: Pick<GateInvocation, "undecided">,
): number {
  if (outcome === "leak") return exitCodes.leak;
  if (failure) throw failure;
  if (outcome === "undecided" && undecided === "fail") return exitCodes.undecided;
  return exitCodes.done;
}
