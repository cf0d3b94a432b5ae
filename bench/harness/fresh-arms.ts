// The arms of one block: for each a server and a client in fresh processes of their own, all alive at once, because an
// operator's process knows one setting only, and code that meets two is compiled for two. It owns them all.

import type { Block } from "./compared.ts";
import { alternate } from "./rounds.ts";
import type { TunnelOptions } from "./tunnel-under-test.ts";
import { TunnelUnderTest } from "./tunnel-under-test.ts";

/** How the arms of a block begin. */
export interface FreshArmsOptions<Arm extends string> {
  readonly arms: Readonly<Record<Arm, TunnelOptions>>;
  /** The last arm begins, everywhere: for every other block. */
  readonly turned: boolean;
}

/** How much is measured. */
export interface SlicePlan {
  /** How often all arms come there and back. */
  readonly rounds: number;
  /** Requests of each slice. */
  readonly requests: number;
}

/** A tunnel per arm, always in the order in which they were started. */
export class FreshArms<Arm extends string> {
  readonly #tunnels: ReadonlyMap<Arm, TunnelUnderTest>;

  private constructor(tunnels: ReadonlyMap<Arm, TunnelUnderTest>) {
    this.#tunnels = tunnels;
  }

  /** Starts all processes together; resolves when every tunnel stands. If one does not, none is left. */
  static async start<Arm extends string>({ arms, turned }: FreshArmsOptions<Arm>): Promise<FreshArms<Arm>> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the names of a record are its keys
    const names = Object.keys(arms) as Arm[];
    const order = turned ? names.toReversed() : names;
    const started = await Promise.allSettled(order.map((name) => TunnelUnderTest.start(arms[name])));
    const tunnels = new Map<Arm, TunnelUnderTest>();
    for (const [at, result] of started.entries()) {
      const name = order[at];
      if (name !== undefined && result.status === "fulfilled") tunnels.set(name, result.value);
    }
    const failed = started.find((result) => result.status === "rejected");
    if (!failed) return new FreshArms(tunnels);
    for (const tunnel of tunnels.values()) await tunnel[Symbol.asyncDispose]();
    throw failed.reason;
  }

  /** All arms at once, in their order. */
  async together<Found>(act: (tunnel: TunnelUnderTest, arm: Arm) => Promise<Found>): Promise<Record<Arm, Found>> {
    const found = await Promise.all(
      [...this.#tunnels].map(async ([arm, tunnel]) => [arm, await act(tunnel, arm)] as const),
    );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry per arm
    return Object.fromEntries(found) as Record<Arm, Found>;
  }

  /**
   * What a request costs each arm: slices go there and back, and the CPU time is all that its processes use from the
   * first to the last, with what they put off (collections, compiling, spans to be sent). In between they stand idle.
   */
  async costs({ rounds, requests }: SlicePlan): Promise<Block<Arm>> {
    const before = await this.together((tunnel) => tunnel.cpu());
    const arms = [...this.#tunnels.keys()];
    await alternate({ arms, rounds, run: (arm) => this.of(arm).send(requests) });
    return await this.together(async (tunnel, arm) => {
      await tunnel.flush();
      const after = await tunnel.cpu();
      const perRequest = (ms: number): number => (ms * 1_000) / (2 * rounds * requests);
      return {
        server: perRequest(after.server - before[arm].server),
        client: perRequest(after.client - before[arm].client),
      };
    });
  }

  /** The tunnel of an arm. */
  of(arm: Arm): TunnelUnderTest {
    const tunnel = this.#tunnels.get(arm);
    if (!tunnel) throw new RangeError(`this block has no arm "${arm}"`);
    return tunnel;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#tunnels.values()].map((tunnel) => tunnel[Symbol.asyncDispose]()));
  }
}
