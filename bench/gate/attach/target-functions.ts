// What runs inside the attached process: functions that are sent there as text, and so use nothing but their arguments and
// Node's globals. They look at objects without calling any code of the target: no getter, no method.

/** What {@link facts} tells. */
export interface TargetFacts {
  /** Open descriptors by type; null where there is no /proc. */
  readonly fds: Record<string, number> | null;
  /** What keeps the event loop alive, by type. */
  readonly handles: Record<string, number>;
}

/** What can be read cheaply, to see whether the process has come to rest. */
export function facts(): TargetFacts {
  const handles: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1;
  const fs = process.getBuiltinModule("node:fs");
  const folder = "/proc/self/fd";
  if (process.platform !== "linux" || !fs.existsSync(folder)) return { fds: null, handles };
  const fds: Record<string, number> = {};
  for (const name of fs.readdirSync(folder)) {
    let link = "gone:";
    try {
      link = fs.readlinkSync(`${folder}/${name}`);
    } catch {
      continue; // The one by which the folder was read.
    }
    const type = link.startsWith("/")
      ? "file"
      : link
          .replace(/^anon_inode:/, "")
          .replace(/:.*$/, "")
          .replaceAll(/[[\]]/g, "");
    fds[type] = (fds[type] ?? 0) + 1;
  }
  return { fds, handles };
}

/** What does not change while the process runs. */
export interface TargetIdentity {
  /** The version of Node, such as v22.1.0. */
  readonly node: string;
  /** Flags that decide how its heap behaves; nothing else of its command line. */
  readonly flags: readonly string[];
}

/** Reads {@link TargetIdentity}. */
export function identity(): TargetIdentity {
  const given = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(" ")];
  const telling = /^--(?:(?:no-)?(?:opt|sparkplug|maglev|lazy-feedback-allocation)|jitless)$/;
  return { node: process.version, flags: given.filter((flag) => telling.test(flag)) };
}
