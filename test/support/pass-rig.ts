// A rig whose tunnel `pass` leads TLS connections through undecrypted: a server with a certificate for its tunnels, of one
// authority, and room for a target with a certificate of another one.

import type { ServeOptions } from "../../src/assemble/serve.ts";
import { Words } from "../hostile/words.ts";
import { Authority } from "./authority.ts";
import type { RigOptions } from "./rig.ts";
import { Rig } from "./rig.ts";

/** The domain of the rig's server. */
export const passDomain = "tunnels.test";
/** The server name of the rig's tunnel. */
export const passName: string = `pass.${passDomain}`;

/** The rig, and what the server refused. */
export class PassRig implements AsyncDisposable {
  readonly rig: Rig;
  readonly words: Words;
  /** PEM of who issued the server's certificate. */
  readonly ca: string;
  readonly #authority: Authority;

  private constructor(rig: Rig, words: Words, authority: Authority) {
    this.rig = rig;
    this.words = words;
    this.ca = authority.ca;
    this.#authority = authority;
  }

  /** `targetPort` is where the TLS service listens. */
  static async start(options: RigOptions & { readonly targetPort: number }): Promise<PassRig> {
    const authority = await Authority.create();
    const words = new Words();
    const pair = await authority.issue([passDomain, `*.${passDomain}`, "127.0.0.1"]);
    const serve: ServeOptions = {
      listen: "127.0.0.1:0",
      listenTls: "127.0.0.1:0",
      tls: [pair],
      domain: passDomain,
      ...options.serve,
    };
    const rig = await Rig.start({
      ...options,
      serve,
      serverSubscribers: [words, ...(options.serverSubscribers ?? [])],
      connect: { type: "tls", name: "pass", ...options.connect },
    });
    return new PassRig(rig, words, authority);
  }

  /** The server's port for TLS. */
  get port(): number {
    return Number(new URL(this.rig.server.tlsUrl).port);
  }

  /** One of the server's probes. */
  probe(name: string): number {
    return this.rig.server.inventory().probes[name] ?? -1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig.close();
    this.#authority[Symbol.dispose]();
  }
}
