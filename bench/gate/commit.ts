// Which commit is being tested, as the CI system or git says; undefined where neither knows.

import { spawnSync } from "node:child_process";

/** The commit in full: what CI variables say, because a checkout may be shallow, else that of the working directory. */
export function commitOf(): string | undefined {
  const { GITHUB_SHA, CI_COMMIT_SHA } = process.env;
  const told = GITHUB_SHA ?? CI_COMMIT_SHA;
  if (told !== undefined && told !== "") return told;
  const { status, stdout } = spawnSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" });
  const commit = status === 0 ? stdout.trim() : "";
  return commit === "" ? undefined : commit;
}
