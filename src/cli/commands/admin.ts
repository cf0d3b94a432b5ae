// From the flags of the private listener to the library's options: defaults, and where its files are.

import { join } from "node:path";
import { loadAdminToken } from "../../admin/admin-token.ts";
import type { AdminOptions } from "../../assemble/admin-options.ts";
import { messageOf } from "../../lifecycle/errors.ts";
import type { Environment } from "../environment.ts";
import { given } from "../given.ts";
import type { AdminInvocation } from "../invocation.ts";
import { stateDirectory } from "../resume-secret.ts";

/** Where a server's private listener is unless told otherwise. */
export const defaultAdmin = "127.0.0.1:9190";

/** The token file unless told otherwise: one for all roles of this user. */
export function adminTokenFile(env: Environment): string {
  return join(stateDirectory(env), "admin-token");
}

/** What {@link adminOptions} goes by. */
export interface AdminGround {
  readonly role: "server" | "client";
  readonly env: Environment;
  /** Used when no address was given. */
  readonly standard: string;
  /** Hears of a default that cannot be had. */
  readonly onWarning: (text: string) => void;
}

/** The options; undefined for `off`. */
export async function adminOptions(
  { listen, tokenFile, hosts, snapshotFolder, watchOneIn }: AdminInvocation,
  { role, env, standard, onWarning }: AdminGround,
): Promise<AdminOptions | undefined> {
  const address = listen ?? standard;
  if (address === "off") return undefined;
  return {
    listen: address,
    orAnyPort: listen === undefined,
    ...given("tokenFile", tokenFile ?? (await usableTokenFile(adminTokenFile(env), onWarning))),
    hosts,
    snapshotFolder: snapshotFolder ?? join(stateDirectory(env), "snapshots", role),
    snapshotOnSignal: true,
    ...given("sampleOneIn", watchOneIn),
  };
}

/** The default file, unless it cannot be used: a file that was asked for is an error instead. */
async function usableTokenFile(file: string, onWarning: (text: string) => void): Promise<string | undefined> {
  try {
    await loadAdminToken(file);
    return file;
  } catch (error) {
    onWarning(`${messageOf(error)}; until then nobody can sign in to the private listener`);
    return undefined;
  }
}
