// Counts the sockets of visitors, in all and per address, from the moment they are accepted until the system has closed
// them or they have become a session. It does not matter whom they were handed to meanwhile: descriptors are descriptors.
// Addresses count by their network, an IPv6 address for its whole /64; trusted peers apart from their neighbours.

import type { Socket } from "node:net";
import { networkOf } from "../tokens/address-network.ts";
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
  /** Each with the network that it counts for. */
  readonly #sockets = new Map<Socket, string>();
  readonly #perNetwork = new Map<string, number>();

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
    return this.#perNetwork.size;
  }

  /** Counts the socket until it closes; or answers why there is no room for it. */
  admit(socket: Socket, address: string): QuotaRefusal | undefined {
    const trusted = this.#trusted.has(address);
    const network = trusted ? address : networkOf(address);
    if (!trusted && this.#isFull(network)) return "visitors_per_address";
    if (this.#sockets.size >= this.#limits.maxVisitors) return "visitors";
    this.#count(socket, network);
    socket.once("close", () => this.release(socket));
    return undefined;
  }

  /** The socket turned out to come from another address: counts it there; or answers why there is no room for it. */
  move(socket: Socket, address: string): QuotaRefusal | undefined {
    if (!this.#sockets.has(socket)) return undefined;
    const trusted = this.#trusted.has(address);
    const network = trusted ? address : networkOf(address);
    if (!trusted && this.#isFull(network)) return "visitors_per_address";
    this.#forget(socket);
    this.#count(socket, network);
    return undefined;
  }

  /** The socket is closed, or counts against another limit from here on. Idempotent. */
  release(socket: Socket): void {
    this.#forget(socket);
  }

  #isFull(network: string): boolean {
    return (this.#perNetwork.get(network) ?? 0) >= this.#limits.maxVisitorsPerAddress;
  }

  #count(socket: Socket, network: string): void {
    this.#sockets.set(socket, network);
    this.#perNetwork.set(network, (this.#perNetwork.get(network) ?? 0) + 1);
  }

  #forget(socket: Socket): void {
    const network = this.#sockets.get(socket);
    if (network === undefined) return;
    this.#sockets.delete(socket);
    const count = (this.#perNetwork.get(network) ?? 0) - 1;
    if (count > 0) this.#perNetwork.set(network, count);
    else this.#perNetwork.delete(network);
  }
}
