// A target on node:http that stands for itself, for tests whose client is another process, or that outlive their rig.

import type { RequestListener, Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A listening target, closed with all of its connections when it is disposed of. */
export class HttpTarget {
  readonly server: Server;

  private constructor(listener: RequestListener) {
    this.server = createServer(listener);
  }

  /** Listens on 127.0.0.1, on a free port unless told otherwise. */
  static async start(listener: RequestListener, port = 0): Promise<HttpTarget> {
    const target = new HttpTarget(listener);
    await new Promise<void>((resolve) => void target.server.listen(port, "127.0.0.1", resolve));
    return target;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }
}
