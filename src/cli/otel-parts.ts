// Finds the OpenTelemetry SDK and the one part of it that it does not export by name: how it makes span processors of
// OTEL_* variables, with a meter of the caller's. Without that part lost spans could only be counted by reading those
// variables a second time here. So the version is pinned, and another layout is an error in words.

import { createRequire } from "node:module";
import type * as Sdk from "@opentelemetry/sdk-node";
import type * as Processors from "@opentelemetry/sdk-node/build/src/utils.js";
import { CaissonError, systemCodeOf } from "../lifecycle/errors.ts";

/** The version that this was written for; the optional dependency is exactly that. */
export const sdkVersion = "0.223.0";

/** What the command line makes an SDK of. */
export interface SdkParts {
  readonly sdk: typeof Sdk;
  readonly processors: Pick<typeof Processors, "getSpanProcessorsFromEnv">;
}

const absent: ReadonlySet<string | undefined> = new Set([
  "ERR_MODULE_NOT_FOUND",
  "MODULE_NOT_FOUND",
  "ERR_PACKAGE_PATH_NOT_EXPORTED",
]);

/** Loads both. Throws E_CONFIG if the SDK is not installed, or is another one than it knows. */
export async function loadSdk(): Promise<SdkParts> {
  const sdk = await loaded(import("@opentelemetry/sdk-node"));
  if (sdk instanceof Error) throw unfit("tracing needs the OpenTelemetry SDK, which is not installed", sdk);
  const processors = await loaded(import("@opentelemetry/sdk-node/build/src/utils.js"));
  if (!(processors instanceof Error) && isFit(processors)) return { sdk, processors };
  const found = `version ${installedVersion()} of @opentelemetry/sdk-node is not the one that Caisson knows`;
  throw unfit(found, processors instanceof Error ? processors : undefined);
}

/** The module, or why there is none. Whatever else went wrong is thrown. */
async function loaded<T>(module: Promise<T>): Promise<T | Error> {
  try {
    return await module;
  } catch (error) {
    if (error instanceof Error && absent.has(systemCodeOf(error))) return error;
    throw error;
  }
}

function isFit(processors: Readonly<Record<string, unknown>>): boolean {
  return typeof processors["getSpanProcessorsFromEnv"] === "function";
}

function installedVersion(): string {
  try {
    const { version }: { version?: unknown } = createRequire(import.meta.url)("@opentelemetry/sdk-node/package.json");
    return String(version);
  } catch {
    // A package that does not show its manifest may be any.
    return "(unknown)";
  }
}

function unfit(what: string, cause: Error | undefined): CaissonError {
  return new CaissonError(
    "E_CONFIG",
    `${what}: npm install @opentelemetry/sdk-node@${sdkVersion} beside caisson (with -g if caisson is), ` +
      "or leave out --otel and OTEL_EXPORTER_OTLP_ENDPOINT",
    { cause },
  );
}
