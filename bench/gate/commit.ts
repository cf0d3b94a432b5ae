// Which commit is being tested, as the CI system or git says; undefined where neither knows.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The commit in full. Read from CI variables first, because a checkout may be shallow or a package installed. */
export function commitOf(): string | undefined {
  const { GITHUB_SHA, CI_COMMIT_SHA } = process.env;
  const told = GITHUB_SHA ?? CI_COMMIT_SHA;
  if (told !== undefined && told !== "") return told;
  const folder = fileURLToPath(new URL(".", import.meta.url));
  const { status, stdout } = spawnSync("git", ["rev-parse", "HEAD"], { cwd: folder, encoding: "utf8" });
  const commit = status === 0 ? stdout.trim() : "";
  return commit === "" ? undefined : commit;
}
