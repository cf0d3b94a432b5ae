// The target of small requests: nginx with fixed answers, in a process of its own. It takes 5 to 10 us of CPU for one,
// which is the least that a target can take here, so what a contestant costs is not hidden behind it.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { httpBasics } from "../contestants/nginx-configuration.ts";
import { startNginx } from "../contestants/nginx.ts";
import { AsyncResources } from "../harness/async-resources.ts";
import { freePort } from "../harness/free-ports.ts";
import type { Target } from "./target.ts";
import { patternStart } from "./pattern.ts";

/** The answers that it has: paths, and the lengths of their bodies. */
export const smallAnswers = { "/110": 110, "/10240": 10_240 } as const;

/** Starts it. Rejects with E_GATE. */
export async function startNginxTarget(): Promise<Target> {
  const resources = new AsyncResources();
  try {
    const port = await freePort();
    await startNginx(resources, { port, blocks: (folder) => configuration(folder, port) });
    return { port, [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose]() };
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
}

function configuration(folder: string, port: number): string {
  for (const [path, bytes] of Object.entries(smallAnswers)) writeFileSync(join(folder, path), patternStart(bytes));
  return `
http {
  ${httpBasics(folder)}
  sendfile on; open_file_cache max=16 inactive=600s; open_file_cache_valid 600s;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${folder};
    location = / { return 200 "ready"; }
  }
}
`;
}
