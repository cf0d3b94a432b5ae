// Which peers may say on whose behalf they speak.

import { BlockList, isIP } from "node:net";
import { CaissonError } from "../lifecycle/errors.ts";

/** A set of addresses and networks. */
export class TrustedProxies {
  readonly #list = new BlockList();

  /** `entries` are addresses or CIDR blocks; throws E_CONFIG for anything else. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) this.#add(entry.trim());
  }

  /** Whether a peer at this address is trusted. IPv4-mapped IPv6 addresses count as IPv4. */
  has(address: string): boolean {
    const plain = plainAddress(address);
    return this.#list.check(plain, plain.includes(":") ? "ipv6" : "ipv4");
  }

  #add(entry: string): void {
    const [address = "", prefix, ...rest] = entry.split("/");
    const family = isIP(address);
    const bits = prefix === undefined ? undefined : Number(prefix);
    const valid = bits === undefined || (/^\d{1,3}$/u.test(prefix ?? "") && bits <= (family === 6 ? 128 : 32));
    if (family === 0 || rest.length > 0 || !valid) {
      throw new CaissonError("E_CONFIG", `trusted proxy "${entry}" is no address or network; write 10.0.0.0/8 or ::1`);
    }
    const type = family === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) this.#list.addAddress(address, type);
    else this.#list.addSubnet(address, bits, type);
  }
}

/** An address as people write it: without the `::ffff:` of IPv4 peers on a dual-stack socket. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
