// `caisson token`: makes, lists and revokes the tokens in a server's file. A new token goes to stdout or a file of its own,
// once; what is kept is its digest. A running server that follows the file takes changes over by itself.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CaissonError, messageOf } from "../../lifecycle/errors.ts";
import { anyName, formatPortRange, parsePortRange } from "../../tokens/name-pattern.ts";
import { isLabel, maxListed, maxTokens } from "../../tokens/token-codec.ts";
import { readTokenFile, updateTokenFile } from "../../tokens/token-file.ts";
import type { TokenEntry } from "../../tokens/token-table.ts";
import { hasExpired } from "../../tokens/token-table.ts";
import { digestOf, idOf, newToken, tokenPrefix } from "../../tokens/token-text.ts";
import type { TokenCreateInvocation, TokenInvocation, TokenRevokeInvocation } from "../invocation.ts";
import type { Output } from "../output.ts";
import { stateDirectory } from "../resume-secret.ts";
import type { Ending } from "../stop-signals.ts";
import type { CommandContext } from "./context.ts";

const everyPort = "1-65535";

/** Runs the command. Throws E_CONFIG for the file, E_USAGE for what makes no sense. */
export async function runToken(invocation: TokenInvocation, { output, env }: CommandContext): Promise<Ending> {
  const file = invocation.file ?? join(stateDirectory(env), "tokens.json");
  switch (invocation.action) {
    case "create":
      await create(invocation, { file, output });
      break;
    case "list":
      await list(file, { output, json: invocation.json });
      break;
    case "revoke":
      await revoke(invocation, { file, output });
      break;
  }
  return { kind: "stopped" };
}

interface Place {
  readonly file: string;
  readonly output: Output;
}

async function create(invocation: TokenCreateInvocation, { file, output }: Place): Promise<void> {
  const token = newToken();
  const entry = entryOf(token, invocation);
  await updateTokenFile(file, (entries) => {
    if (entries.length >= maxTokens) {
      throw new CaissonError(
        "E_CONFIG",
        `${file} holds ${maxTokens} tokens: caisson token revoke --expired makes room`,
      );
    }
    return [...entries, entry];
  });
  if (invocation.output !== undefined) await writeSecret(invocation.output, token);
  if (invocation.json)
    output.event({ event: "token", ...rowOf(entry), ...(invocation.output === undefined ? { token } : {}) });
  else if (invocation.output === undefined) output.raw(`${token}\n`);
  const where = invocation.output === undefined ? "it is shown only this once" : `it is in ${invocation.output}`;
  output.note(`made the token ${entry.id}; ${where}. The server: caisson serve --tokens ${file}`);
  output.note("The client: caisson http TARGET --token-file FILE, or CAISSON_TOKEN in its environment");
}

async function list(
  file: string,
  { output, json }: { readonly output: Output; readonly json: boolean },
): Promise<void> {
  const { entries } = await readTokenFile(file);
  if (json) {
    for (const entry of entries) output.event({ event: "token", ...rowOf(entry) });
    return;
  }
  if (entries.length === 0) output.note(`${file} holds no tokens`);
  else for (const line of tableOf(entries)) output.line(line);
}

async function revoke(invocation: TokenRevokeInvocation, { file, output }: Place): Promise<void> {
  const { ids, expired, json } = invocation;
  if (ids.some((id) => id.startsWith(tokenPrefix))) {
    throw new CaissonError("E_USAGE", "give the token's id, not the token: caisson token list shows it");
  }
  const revoked: TokenEntry[] = [];
  await updateTokenFile(file, (entries) => {
    const unknown = ids.find((id) => !entries.some((entry) => entry.id === id));
    if (unknown !== undefined) {
      throw new CaissonError("E_USAGE", `no token in ${file} has the id "${unknown}"; caisson token list shows them`);
    }
    const nowMs = Date.now();
    const goes = (entry: TokenEntry): boolean => ids.includes(entry.id) || (expired && hasExpired(entry, nowMs));
    revoked.push(...entries.filter(goes));
    return entries.filter((entry) => !goes(entry));
  });
  for (const { id, label } of revoked) {
    if (json) output.event({ event: "revoked", id, label });
    else output.line(`revoked ${id} ${label}`.trimEnd());
  }
  if (revoked.length === 0) output.note("no token has expired");
}

function entryOf(token: string, invocation: TokenCreateInvocation): TokenEntry {
  const { names, ports, maxTunnels, expiresMs, label } = invocation;
  if (!isLabel(label)) throw new CaissonError("E_USAGE", "a label has at most 100 printable characters");
  if (names.length > maxListed || ports.length > maxListed) {
    throw new CaissonError("E_USAGE", `a token lists at most ${maxListed} names and ${maxListed} ports`);
  }
  // Whoever names nothing means everything; whoever names something means that only.
  const unscoped = names.length === 0 && ports.length === 0;
  const digest = digestOf(token);
  const ranges = (unscoped ? [everyPort] : ports).map(parsePortRange);
  return {
    id: idOf(digest),
    label,
    digest,
    createdMs: Date.now(),
    expiresMs,
    names: unscoped ? [anyName] : [...new Set(names)],
    ports: ranges.filter((range) => range !== undefined),
    maxTunnels,
  };
}

/** A token for scripts, without anything secret. */
function rowOf({ id, label, names, ports, maxTunnels, createdMs, expiresMs }: TokenEntry): object {
  return {
    id,
    label,
    names,
    ports: ports.map(formatPortRange),
    maxTunnels: maxTunnels ?? null,
    created: new Date(createdMs).toISOString(),
    expires: expiresMs === undefined ? null : new Date(expiresMs).toISOString(),
    expired: expiresMs !== undefined && expiresMs <= Date.now(),
  };
}

function tableOf(entries: readonly TokenEntry[]): string[] {
  const rows = entries.map((entry) => [
    entry.id,
    entry.names.join(",") || "-",
    entry.ports.map(formatPortRange).join(",") || "-",
    entry.maxTunnels === undefined ? "-" : String(entry.maxTunnels),
    new Date(entry.createdMs).toISOString().slice(0, 10),
    expiryText(entry),
    entry.label,
  ]);
  const table = [["ID", "NAMES", "PORTS", "MAX", "CREATED", "EXPIRES", "LABEL"], ...rows];
  const widths = table.reduce<number[]>(
    (known, row) => row.map((cell, at) => Math.max(known[at] ?? 0, cell.length)),
    [],
  );
  return table.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function expiryText(entry: TokenEntry): string {
  if (entry.expiresMs === undefined) return "never";
  return hasExpired(entry, Date.now()) ? "expired" : new Date(entry.expiresMs).toISOString().slice(0, 16).concat("Z");
}

async function writeSecret(file: string, token: string): Promise<void> {
  try {
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    throw new CaissonError("E_CONFIG", `cannot write the token to ${file}: ${messageOf(error)}`, { cause: error });
  }
}
