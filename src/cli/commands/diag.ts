// `caisson diag`: asks a running role's private listener for what a bug report needs and writes one archive.

import { readFile, writeFile } from "node:fs/promises";
import { AdminClient } from "../../admin/admin-client.ts";
import { collectDiag } from "../../admin/diag.ts";
import { parseAdminAddress } from "../../assemble/admin-options.ts";
import { version } from "../../assemble/version.ts";
import { CaissonError, messageOf } from "../../lifecycle/errors.ts";
import { Redactor } from "../../observe/redactor.ts";
import type { DiagInvocation } from "../invocation.ts";
import type { Ending } from "../stop-signals.ts";
import { adminTokenFile, defaultAdmin } from "./admin.ts";
import type { CommandContext } from "./context.ts";

/** Runs the command. Throws E_CONFIG for a token that cannot be read, E_CONNECT if nobody answers. */
export async function runDiag(invocation: DiagInvocation, { output, env }: CommandContext): Promise<Ending> {
  const token = await readToken(invocation.tokenFile ?? adminTokenFile(env));
  const client = new AdminClient(parseAdminAddress(invocation.admin ?? defaultAdmin), token);
  await client.ask("/livez");
  const archive = await collectDiag({
    ask: (path, question) => client.ask(path, question),
    redactor: new Redactor({ secrets: [token] }),
    facts: { collector: version },
  });
  const file = invocation.output ?? archive.name;
  await write(file, archive.bytes);
  if (invocation.json) output.event({ event: "diag", file, parts: archive.parts });
  else {
    for (const { file: part, problem } of archive.parts) {
      if (problem !== undefined) output.note(`without ${part}: ${problem}`);
    }
    output.line(`${file} (${archive.bytes.length} bytes). Read it before you send it: tunnel names are in it.`);
  }
  return { kind: "stopped" };
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    const advice = "name the file of the running server with --admin-token-file";
    throw new CaissonError("E_CONFIG", `cannot read the admin token: ${messageOf(error)}; ${advice}`, { cause: error });
  }
}

/** Never over a file that is there, and for its owner only. */
async function write(file: string, bytes: Buffer): Promise<void> {
  try {
    await writeFile(file, bytes, { flag: "wx", mode: 0o600 });
  } catch (error) {
    throw new CaissonError("E_CONFIG", `cannot write ${file}: ${messageOf(error)}`, { cause: error });
  }
}
