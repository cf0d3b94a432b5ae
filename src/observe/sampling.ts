// Which traces are recorded. The decision falls here, before the SDK makes anything, so that a request that is not
// recorded costs next to nothing; and whoever is not trusted has no say in it, neither by a flag nor by choosing an id.

import type { RemoteParent } from "./trace-context.ts";

/** Whether the caller's word counts: a trusted proxy's and our own server's does, a visitor's does not. */
export type Caller = "believed" | "stranger";

/** Decides. */
export interface Sampling {
  /** Whether an exchange is handed to the SDK, with the caller's trace as its parent if it has one and may be. */
  decide(parent: RemoteParent | undefined, caller: Caller): boolean;
  /** Whether a stranger's trace goes on in ours. Where it does not, ours begins anew and has a link to the stranger's. */
  readonly joinsStrangers: boolean;
  /** Whether a believed caller's flag is all that counts, so that nothing else of its trace needs to be read. */
  readonly obeysParent: boolean;
  /** Whether a sampler behind it looks at the attributes that a span begins with; telling them at the end costs less. */
  readonly readsAttributes: boolean;
  /** Whether rare events (a session, a drain, a snapshot) are recorded. */
  readonly notable: boolean;
}

/** What OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG ask for. */
export interface SamplerSettings {
  /** The share of traces that are recorded, 0 to 1. */
  readonly ratio: number;
  /** A believed caller's flag decides instead of the ratio. */
  readonly obeysParent: boolean;
}

/** Variables of the environment. */
type Environment = Readonly<Record<string, string | undefined>>;

interface Sampler {
  /** Always that, whatever ratio is asked for; undefined: what is asked for. */
  readonly ratio: number | undefined;
  readonly obeysParent: boolean;
}

const standard = "parentbased_always_on";
const unset: Sampler = { ratio: 1, obeysParent: true };
const samplers: ReadonlyMap<string, Sampler> = new Map<string, Sampler>([
  ["always_on", { ratio: 1, obeysParent: false }],
  ["always_off", { ratio: 0, obeysParent: false }],
  ["traceidratio", { ratio: undefined, obeysParent: false }],
  [standard, unset],
  ["parentbased_always_off", { ratio: 0, obeysParent: true }],
  ["parentbased_traceidratio", { ratio: undefined, obeysParent: true }],
]);

/** Reads the two variables as the SDK does: what is unset or unknown means `parentbased_always_on`, a bad ratio 1. */
export function samplerSettings(env: Environment): SamplerSettings {
  const sampler = samplers.get(samplerNameIn(env)) ?? unset;
  const { ratio = ratioIn(env) ?? 1, obeysParent } = sampler;
  return { ratio, obeysParent };
}

/** What of the two variables is not understood, in words, and what is done instead; undefined if all is well. */
export function samplerTrouble(env: Environment): string | undefined {
  const name = samplerNameIn(env);
  const sampler = samplers.get(name);
  if (!sampler) {
    return `OTEL_TRACES_SAMPLER "${name}" is unknown; using ${standard} (known are ${[...samplers.keys()].join(", ")})`;
  }
  if (sampler.ratio !== undefined || ratioIn(env) !== undefined) return undefined;
  return `OTEL_TRACES_SAMPLER_ARG "${env["OTEL_TRACES_SAMPLER_ARG"] ?? ""}" is no number from 0 to 1; everything is recorded`;
}

function samplerNameIn(env: Environment): string {
  return env["OTEL_TRACES_SAMPLER"]?.trim() || standard;
}

function ratioIn(env: Environment): number | undefined {
  const text = env["OTEL_TRACES_SAMPLER_ARG"]?.trim() ?? "";
  const ratio = text === "" ? Number.NaN : Number(text);
  return ratio >= 0 && ratio <= 1 ? ratio : undefined;
}

/** Decides by settings. The SDK behind it must record whatever it is given. */
export class RatioSampling implements Sampling {
  readonly obeysParent: boolean;
  readonly joinsStrangers = true;
  readonly readsAttributes = false;
  readonly #ratio: number;
  readonly #random: () => number;

  /** `random` answers 0 to just below 1. */
  constructor({ ratio, obeysParent }: SamplerSettings, random: () => number = Math.random) {
    this.#ratio = ratio;
    this.obeysParent = obeysParent;
    this.#random = random;
  }

  get notable(): boolean {
    return this.#ratio > 0;
  }

  decide(parent: RemoteParent | undefined, caller: Caller): boolean {
    // By chance, not by the id: a stranger may choose its id.
    if (parent === undefined || caller === "stranger") return this.#random() < this.#ratio;
    return this.obeysParent ? parent.sampled : isBelow(parent.traceId, this.#ratio);
  }
}

/**
 * Leaves the decision to the sampler of an SDK that somebody else has set up, whatever that is. It is asked once, when the
 * span is made. A parent would tell it the stranger's flag, or flag and id of our choosing; so a stranger is none.
 */
export const agentSampling: Sampling = {
  decide: () => true,
  joinsStrangers: false,
  notable: true,
  obeysParent: false,
  readsAttributes: true,
};

/** The same share of trace ids as everybody who uses OpenTelemetry's ratio sampler picks: 32 bits of the id, folded. */
function isBelow(traceId: string, ratio: number): boolean {
  if (ratio >= 1) return true;
  let folded = 0;
  for (let at = 0; at < 32; at += 8) folded ^= Number.parseInt(traceId.slice(at, at + 8), 16);
  return folded >>> 0 < Math.floor(ratio * 0xffff_ffff);
}
