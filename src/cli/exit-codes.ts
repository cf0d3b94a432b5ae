// Exit codes, the only place where they are chosen. Scripts rely on them, so a number never changes its meaning.

import type { ErrorCode } from "../lifecycle/errors.ts";
import { CaissonError, unreachable } from "../lifecycle/errors.ts";

/** What the process tells whoever started it. */
export const exitCodes = {
  /** Done, or a signal whose drain finished. */
  done: 0,
  /** A runtime error, or closed by the operator of the server. */
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** A file or value of the configuration is bad. */
  config: 3,
  /** The server refused the token, or revoked it. */
  auth: 4,
  /** The first connect failed for as long as it was tried. */
  connect: 5,
  /** The name is taken, or another instance replaced this one. */
  name: 6,
  /** The gate found a leak. */
  leak: 7,
  /** The gate could not decide: the machine was too noisy. */
  undecided: 8,
  /** A second SIGINT forced the end. */
  interrupted: 130,
  /** A second SIGTERM forced the end. */
  terminated: 143,
} as const;

/** The signals that end a command. */
export type StopSignal = "SIGINT" | "SIGTERM";

/** The exit code for anything that ended a command by being thrown. */
export function exitCodeFor(error: unknown): number {
  return error instanceof CaissonError ? exitCodeForCode(error.code) : exitCodes.failed;
}

/** The exit code after a signal forced the end. */
export function forcedExitCode(signal: StopSignal): number {
  return signal === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated;
}

function exitCodeForCode(code: ErrorCode): number {
  switch (code) {
    case "E_USAGE":
      return exitCodes.usage;
    case "E_CONFIG":
      return exitCodes.config;
    case "E_AUTH":
      return exitCodes.auth;
    case "E_CONNECT":
      return exitCodes.connect;
    case "E_NAME_TAKEN":
    case "E_REPLACED":
      return exitCodes.name;
    case "E_GATE":
    case "E_REFUSED":
    case "E_CLOSED":
    case "E_PROTOCOL":
    case "E_LISTEN":
    case "E_ABORTED":
    case "E_INTERNAL":
      return exitCodes.failed;
    default:
      return unreachable(code);
  }
}
