// The flags of the private listener, which servers and clients share.

import type { Command } from "commander";
import { Option } from "commander";
import type { AdminInvocation } from "../invocation.ts";
import { collectList, readCount } from "../option-readers.ts";

interface AdminFlags {
  readonly admin?: string;
  readonly adminTokenFile?: string;
  readonly adminHost?: readonly string[];
  readonly snapshots?: string;
  readonly watchOneIn?: number;
}

/** Adds the flags. `standard` is what `--admin` stands for when it is not given. */
export function addAdminOptions(command: Command, standard: string): void {
  command
    .optionsGroup("Private listener:")
    .option("--admin <address>", `host:port, unix:PATH or off (default: ${standard})`)
    .option("--admin-token-file <file>", "made with mode 0600 if missing (default: in the state folder)")
    .addOption(new Option("--admin-host <name>", "one more name that Host may hold; repeatable").argParser(collectList))
    .option("--snapshots <folder>", "where heap snapshots go (default: in the state folder)")
    .addOption(
      new Option(
        "--watch-one-in <number>",
        "of so many exchanges, watch one until it is collected (default: 100)",
      ).argParser(readCount),
    );
}

/** What the flags of a parsed command come to. */
export function adminOf(command: Command): AdminInvocation {
  const flags = command.opts<AdminFlags>();
  return {
    listen: flags.admin,
    tokenFile: flags.adminTokenFile,
    hosts: flags.adminHost ?? [],
    snapshotFolder: flags.snapshots,
    watchOneIn: flags.watchOneIn,
  };
}
