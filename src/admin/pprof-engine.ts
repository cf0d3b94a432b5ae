// Loads @datadog/pprof, which is an optional dependency with a native part, and narrows it to what profiles need. Loaded
// when a profile is asked for, never before. The only file that knows the package.

import { messageOf } from "../lifecycle/errors.ts";

/** A finished profile, still to be encoded. */
export type RawProfile = object;

/** What is used of the package. */
export interface PprofEngine {
  readonly heap: {
    start(intervalBytes: number, stackDepth: number): void;
    stop(): void;
    profile(): RawProfile;
  };
  readonly time: {
    start(options: { readonly intervalMicros: number; readonly durationMillis: number }): void;
    stop(): RawProfile;
  };
  /** The profile as gzipped protobuf. */
  encode(profile: RawProfile): Promise<Buffer>;
}

/** The engine, or why there is none. */
export type PprofLoad = { readonly engine: PprofEngine } | { readonly missing: string };

/** Not a literal, so that neither compiler nor bundler demands the package. */
const packageName: string = "@datadog/pprof";

/** Loads the package. Never rejects. */
export async function loadPprof(): Promise<PprofLoad> {
  try {
    const loaded: unknown = await import(packageName);
    const engine = typeof loaded === "object" && loaded !== null && "default" in loaded ? loaded.default : loaded;
    return isEngine(engine) ? { engine } : { missing: `${packageName} has another form than expected` };
  } catch (error) {
    const [reason] = messageOf(error).split("\n");
    return { missing: `profiles need the package ${packageName}, which cannot be loaded: ${reason}` };
  }
}

function isEngine(value: unknown): value is PprofEngine {
  if (typeof value !== "object" || value === null) return false;
  if (!("heap" in value) || !("time" in value) || !("encode" in value)) return false;
  return hasMethods(value.heap, ["start", "stop", "profile"]) && hasMethods(value.time, ["start", "stop"]);
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  return (
    typeof value === "object" && value !== null && names.every((name) => typeof Reflect.get(value, name) === "function")
  );
}
