// tunnelmole: an HTTP proxy whose bodies travel whole, in JSON as base64, over one WebSocket. Written in TypeScript. Both halves
// are built source folders: the client of its package only knows the public service. Nothing is sent to that, nor told of use.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { answersOn } from "../contestants/answers-on.ts";
import { standingOf } from "../contestants/contestant.ts";
import { freePort } from "../harness/free-ports.ts";
import { Program } from "../harness/program.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { loopbackOnly } from "./loopback-only.ts";
import type { Peer, Sought } from "./peer.ts";
import { configured, fileOf, missingOf, quietly, soughtIn } from "./peer.ts";

const variable = "PEER_TUNNELMOLE_CLIENT";
const service = soughtIn("PEER_TUNNELMOLE_SERVICE", "dist/srv/index.js");
const client = soughtIn(variable, "dist/bin/tunnelmole.js");
/** Where the client goes is built into it. */
const endpoint = "ws://localhost:8080";
const socketPort = 8_080;
/** How long the client may take to keep its key, in milliseconds. */
const keyMs = 10_000;

/** See README.md. */
export const tunnelmole: Peer = {
  name: "tunnelmole",
  proxies: "HTTP",
  // Its service refuses larger bodies of requests: 100 KiB is the default of its parser.
  mostBodyBytes: 102_400,
  missing: missingOf(service, client, leadsHere(client)),
  version: () => {
    const file = join(folderOf(fileOf(client)), "package.json");
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    return /"version": "([^"]+)"/u.exec(text)?.[1];
  },
  start: (target) =>
    standingOf(async (resources) => {
      const file = process.execPath;
      const port = await freePort();
      const folder = configured(resources, {
        "config-instance.toml": `
environment = "local"
[server]
httpPort = ${port}
websocketPort = ${socketPort}
domain = "localhost"
password = "bench"
bannedIps = []
bannedClientIds = []
bannedHostnames = []
[mysql]
host = "127.0.0.1"
user = "nobody"
password = ""
database = "none"
[runtime]
debug = false
enableLogging = false
connectionTimeout = 43200
timeoutCheckFrequency = 5000
`,
      });
      const args = [...loopbackOnly, fileOf(service)];
      const listening = quietly(resources, { title: "tunnelmole-service", file, args, folder });
      await listening.listensOn(port);
      const run = (...words: readonly string[]): Program =>
        resources.own(
          new Program({
            title: "tunnelmole-client",
            file,
            args: [fileOf(client), ...words],
            folder: folderOf(fileOf(client)),
            // It keeps its name and its key in the user's folder.
            env: { TUNNELMOLE_TELEMETRY: "0", HOME: folder },
          }),
        );
      await run("--set-api-key", exampleKey()).finish(keyMs);
      const forwarding = run(String(target));
      // The name that it was given is only told on its output.
      const host = await forwarding.line((line) => /^http:\/\/(\S+) (?:is forwarding|⟶)/u.exec(line)?.[1]);
      await answersOn({ port, host });
      return { port, host, pids: [listening.pid, forwarding.pid] };
    }),
};

/** One that the service's folder brings: without any it takes no client. */
function exampleKey(): string {
  const file = join(folderOf(fileOf(service)), "src/authentication/apiKeys.json");
  const key = /"apiKey":\s*"([^"]+)"/u.exec(readFileSync(file, "utf8"))?.[1];
  if (key === undefined) throw new CaissonError("E_GATE", `${file} holds no apiKey`);
  return key;
}

/** A client that was built for another place would take this machine's target there. */
function leadsHere(found: Sought): Sought {
  if ("missing" in found) return found;
  const file = join(folderOf(found.file), "dist/config-instance.js");
  const leads = existsSync(file) && readFileSync(file, "utf8").includes(`"${endpoint}"`);
  return leads ? found : { missing: `${variable} is not built for the endpoint "${endpoint}"` };
}

function folderOf(file: string): string {
  return dirname(dirname(dirname(file)));
}
