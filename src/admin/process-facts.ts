// What GET /debug/process tells of this process: facts that a bug report needs, and nothing that a user has typed. Values
// of the environment and arguments are never among them.

import { availableParallelism, loadavg, totalmem } from "node:os";
import { getHeapStatistics } from "node:v8";

/** Environment variables whose names are worth knowing. */
const tellingNames = /^(?:CAISSON_|NODE_|OTEL_|UV_|NO_COLOR$|CI$)/u;

/** Facts about this process. */
export function processFacts(role: { readonly role: string; readonly version: string }): object {
  return {
    role: role.role,
    version: role.version,
    node: process.version,
    v8: process.versions.v8,
    uv: process.versions.uv,
    openssl: process.versions.openssl,
    platform: process.platform,
    arch: process.arch,
    pid: process.pid,
    uptimeSeconds: process.uptime(),
    cpus: availableParallelism(),
    loadAverage: loadavg(),
    totalMemory: totalmem(),
    constrainedMemory: process.constrainedMemory(),
    memory: process.memoryUsage(),
    heap: getHeapStatistics(),
    usage: process.resourceUsage(),
    // The names say which settings are in play; the values may be secrets.
    environmentNames: Object.keys(process.env)
      .filter((name) => tellingNames.test(name))
      .toSorted(),
    nodeFlags: process.execArgv.map((flag) => flag.replace(/=.*$/su, "=…")),
  };
}
