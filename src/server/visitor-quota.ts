// Counts the sockets of visitors, in all and per address, from the moment they are accepted until the system has closed
// them or they have become a session. It does not matter whom they were handed to meanwhile: descriptors are descriptors.

import type { Socket } from "node:net";
import type { ServerLimits } from "./limits.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

/** Why a connection is turned away. */
export type QuotaRefusal = "visitors" | "visitors_per_address";

/** What the quota goes by. */
export interface VisitorQuotaOptions {
  readonly limits: ServerLimits;
  /** Peers that speak for many visitors: they share no limit per address. */
  readonly trusted: TrustedProxies;
}

/** The sockets of all visitors. */
export class VisitorQuota {
  readonly #limits: ServerLimits;
  readonly #trusted: TrustedProxies;
  readonly #sockets = new Map<Socket, string>();
  readonly #perAddress = new Map<string, number>();

  constructor(options: VisitorQuotaOptions) {
    this.#limits = options.limits;
    this.#trusted = options.trusted;
  }

  /** How many sockets are counted. */
  get sockets(): number {
    return this.#sockets.size;
  }

  /** How many addresses they come from. */
  get addresses(): number {
    return this.#perAddress.size;
  }

  /** Counts the socket until it closes; or answers why there is no room for it. */
  admit(socket: Socket, address: string): QuotaRefusal | undefined {
    const count = this.#perAddress.get(address) ?? 0;
    if (count >= this.#limits.maxVisitorsPerAddress && !this.#trusted.has(address)) return "visitors_per_address";
    if (this.#sockets.size >= this.#limits.maxVisitors) return "visitors";
    this.#sockets.set(socket, address);
    this.#perAddress.set(address, count + 1);
    socket.once("close", () => this.release(socket));
    return undefined;
  }

  /** The socket turned out to come from another address: counts it there; or answers why there is no room for it. */
  move(socket: Socket, address: string): QuotaRefusal | undefined {
    if (!this.#sockets.has(socket)) return undefined;
    const count = this.#perAddress.get(address) ?? 0;
    if (count >= this.#limits.maxVisitorsPerAddress && !this.#trusted.has(address)) return "visitors_per_address";
    this.#forget(socket);
    this.#sockets.set(socket, address);
    this.#perAddress.set(address, count + 1);
    return undefined;
  }

  /** The socket is closed, or counts against another limit from here on. Idempotent. */
  release(socket: Socket): void {
    this.#forget(socket);
  }

  #forget(socket: Socket): void {
    const address = this.#sockets.get(socket);
    if (address === undefined) return;
    this.#sockets.delete(socket);
    const count = (this.#perAddress.get(address) ?? 0) - 1;
    if (count > 0) this.#perAddress.set(address, count);
    else this.#perAddress.delete(address);
  }
}
