// The server's secret for resume keys, kept in a file so that clients get their random names back after a restart.
// Made once with mode 0600 in a directory of mode 0700; never printed, never replaced.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { messageOf, systemCodeOf } from "../lifecycle/errors.ts";
import { writeNewSecret } from "../tokens/secret-file.ts";
import type { Environment } from "./environment.ts";

/** What {@link loadResumeSecret} found or made. */
export interface ResumeSecret {
  /** 64 lower-case hex digits: 256 random bits. */
  readonly secret: string;
  /** Why it could not be kept and ends with this process; undefined if it is kept. */
  readonly warning: string | undefined;
}

const secretPattern = /^[0-9a-f]{64}$/u;

/** `$XDG_STATE_HOME/caisson`, or `~/.local/state/caisson`. A relative XDG path is ignored, as its specification wants. */
export function stateDirectory(env: Environment): string {
  const configured = env["XDG_STATE_HOME"] ?? "";
  return join(isAbsolute(configured) ? configured : join(homedir(), ".local", "state"), "caisson");
}

/** Reads the secret of this user's server, or makes it. Never fails: without a writable place the secret is a passing one. */
export async function loadResumeSecret(env: Environment): Promise<ResumeSecret> {
  try {
    const file = join(stateDirectory(env), "secret");
    const secret = (await read(file)) ?? (await make(file));
    if (secretPattern.test(secret)) return { secret, warning: undefined };
    return passing(`${file} holds no secret of Caisson`);
  } catch (error) {
    return passing(messageOf(error));
  }
}

async function read(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function make(file: string): Promise<string> {
  const secret = newSecret();
  return (await writeNewSecret(file, secret)) ? secret : ((await read(file)) ?? "");
}

function passing(reason: string): ResumeSecret {
  return {
    secret: newSecret(),
    warning: `random names will not survive a restart of this server: ${reason}`,
  };
}

function newSecret(): string {
  return randomBytes(32).toString("hex");
}
