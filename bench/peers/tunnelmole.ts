// tunnelmole: an HTTP proxy whose bodies travel in JSON, as base64, over one WebSocket. Written in TypeScript. Both halves are
// built source folders: the client of its package only knows the public service. Ports are those of their configuration.

import { dirname } from "node:path";
import { answersOn } from "../contestants/answers-on.ts";
import { standingOf } from "../contestants/contestant.ts";
import { Program } from "../harness/program.ts";
import type { Peer } from "./peer.ts";
import { fileOf, missingOf, quietly, soughtIn } from "./peer.ts";

const main = "dist/srv/index.js";
const service = soughtIn("PEER_TUNNELMOLE_SERVICE", main);
const client = soughtIn("PEER_TUNNELMOLE_CLIENT", main);
/** Of its example configuration. */
const port = 8_000;

/** See README.md. */
export const tunnelmole: Peer = {
  name: "tunnelmole",
  proxies: "HTTP",
  missing: missingOf(service, client),
  version: () => undefined,
  start: (target) =>
    standingOf(async (resources) => {
      const file = process.execPath;
      const listening = quietly(resources, {
        title: "tunnelmole-service",
        file,
        args: [fileOf(service)],
        folder: folderOf(fileOf(service)),
      });
      await listening.listensOn(port);
      const forwarding = resources.own(
        new Program({
          title: "tunnelmole-client",
          file,
          args: [fileOf(client), String(target)],
          folder: folderOf(fileOf(client)),
          env: { TUNNELMOLE_TELEMETRY: "0" },
        }),
      );
      // The name that it was given is only told on its output.
      const host = await forwarding.line((line) => /^http:\/\/(\S+) (?:is forwarding|⟶)/u.exec(line)?.[1]);
      await answersOn({ port, host });
      return { port, host, pids: [listening.pid, forwarding.pid] };
    }),
};

function folderOf(file: string): string {
  return dirname(dirname(dirname(file)));
}
