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

/** A socket, with the network that it counts for. */
interface Counted {
  network: string;
  readonly onClose: () => void;
}

/** The sockets of all visitors. */
export class VisitorQuota {
  readonly #limits: ServerLimits;
  readonly #trusted: TrustedProxies;
  readonly #sockets = new Map<Socket, Counted>();
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
    const onClose = (): void => this.release(socket);
    this.#sockets.set(socket, { network, onClose });
    this.#enter(network);
    socket.once("close", onClose);
    return undefined;
  }

  /** The socket turned out to come from another address: counts it there; or answers why there is no room for it. */
  move(socket: Socket, address: string): QuotaRefusal | undefined {
    const counted = this.#sockets.get(socket);
    if (!counted) return undefined;
    const trusted = this.#trusted.has(address);
    const network = trusted ? address : networkOf(address);
    if (!trusted && this.#isFull(network)) return "visitors_per_address";
    this.#leave(counted.network);
    counted.network = network;
    this.#enter(network);
    return undefined;
  }

  /** The socket is closed, or counts against another limit from here on. Idempotent. */
  release(socket: Socket): void {
    const counted = this.#sockets.get(socket);
    if (!counted) return;
    this.#sockets.delete(socket);
    // A socket that became a session stays open for days.
    socket.off("close", counted.onClose);
    this.#leave(counted.network);
  }

  #isFull(network: string): boolean {
    return (this.#perNetwork.get(network) ?? 0) >= this.#limits.maxVisitorsPerAddress;
  }

  #enter(network: string): void {
    this.#perNetwork.set(network, (this.#perNetwork.get(network) ?? 0) + 1);
  }

  #leave(network: string): void {
    const count = (this.#perNetwork.get(network) ?? 0) - 1;
    if (count > 0) this.#perNetwork.set(network, count);
    else this.#perNetwork.delete(network);
  }
}
