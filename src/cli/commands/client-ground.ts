// From the flags that all clients share to the library's options: secrets and certificates come from files here.

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ClientOptions } from "../../assemble/connect.ts";
import { proxySettingsOf } from "../../client/http-proxy.ts";
import { CaissonError, messageOf } from "../../lifecycle/errors.ts";
import type { TunnelEvents } from "../../lifecycle/events.ts";
import { noEvents } from "../../lifecycle/events.ts";
import { given } from "../given.ts";
import type { ClientInvocation } from "../invocation.ts";
import { NameKeys } from "../name-keys.ts";
import { snapshotText } from "../snapshot-lines.ts";
import { stateDirectory } from "../resume-secret.ts";
import { adminOptions } from "./admin.ts";
import type { CommandContext } from "./context.ts";

/** The options. Throws E_CONFIG for files that cannot be read. */
export async function clientOptions(invocation: ClientInvocation, context: CommandContext): Promise<ClientOptions> {
  const { env, output } = context;
  const { servers, caFile, plaintext, limits } = invocation;
  const onWarning = (text: string): void => output.note(text);
  const token = await readToken(invocation, { env, onWarning });
  return {
    keyring: new NameKeys(join(stateDirectory(env), "names.json")),
    plaintext,
    proxies: proxySettingsOf(env),
    limits,
    ...given("admin", await adminOptions(invocation.admin, { role: "client", env, standard: "off", onWarning })),
    ...(servers.length === 0 ? {} : { server: servers }),
    ...given("token", token),
    ...given("ca", caFile === undefined ? undefined : await readText(caFile, "--ca")),
    ...given("mask", invocation.mask),
  };
}

/** Says once that the first login failed and is being repeated; everything later comes as an event of the client. */
export function firstFailure(notice: (text: string) => void): TunnelEvents {
  let told = false;
  const sessionConnected = (result: string): void => {
    if (!told && result !== "ok") notice(`no session yet (${result}); trying again`);
    told = true;
  };
  return { ...noEvents, sessionConnected };
}

/** The private listener of these options, if there is one, with a notice of each heap snapshot. */
export function tellingSnapshots(
  { admin }: ClientOptions,
  notice: (text: string) => void,
): Pick<ClientOptions, "admin"> {
  if (admin === undefined || typeof admin === "string") return {};
  return { admin: { ...admin, onSnapshot: (news) => notice(snapshotText(news)) } };
}

/** Reads a file that a flag names. Throws E_CONFIG. */
export async function readText(file: string, flag: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CaissonError("E_CONFIG", `cannot read the file of ${flag}: ${messageOf(error)}`, { cause: error });
  }
}

interface TokenGround extends Pick<CommandContext, "env"> {
  readonly onWarning: (text: string) => void;
}

/** The token of a file, or that of the environment; undefined without either. Throws E_CONFIG. */
export async function readToken(
  { tokenFile }: Pick<ClientInvocation, "tokenFile">,
  { env, onWarning }: TokenGround,
): Promise<string | undefined> {
  if (tokenFile === undefined) return env["CAISSON_TOKEN"] === "" ? undefined : env["CAISSON_TOKEN"];
  const token = (await readText(tokenFile, "--token-file")).trim();
  // Windows has no such modes.
  if (process.platform !== "win32" && ((await stat(tokenFile)).mode & 0o077) !== 0) {
    onWarning(`others can read the token in ${tokenFile}: chmod 600 ${tokenFile}`);
  }
  return token === "" ? undefined : token;
}
