// Finds, reads and checks the configuration file. Loads YAML and the schema, and is itself loaded only where there is a file
// to read. Nothing is used of a file that has a problem.

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import type { HealthOptions } from "../../client/health-check.ts";
import { CaissonError, messageOf } from "../../lifecycle/errors.ts";
import { given } from "../given.ts";
import { parseDuration } from "../quantities.ts";
import type { ConfigFile, ConfiguredTunnel } from "./config-shape.ts";
import type { ConfigProblem } from "./problems.ts";
import { problemText, schemaProblems, yamlProblems } from "./problems.ts";
import type { ConfigShape, HealthSettings, TunnelSettings } from "./schema.ts";
import { configSchema, randomNameMark } from "./schema.ts";
import { resolvePath } from "./settings.ts";

/** What came of reading a file. */
export type ConfigCheck =
  | { readonly config: ConfigFile; readonly problems: readonly [] }
  | { readonly config: undefined; readonly problems: readonly ConfigProblem[] };

/** A file that is larger is no configuration. */
const maxBytes = 1024 * 1024;

/** Reads and checks a file. Throws E_CONFIG only if it cannot be read. */
export async function checkConfig(file: string): Promise<ConfigCheck> {
  const lines = new LineCounter();
  const document = parseDocument(await readText(file), { lineCounter: lines, prettyErrors: false });
  const parsed = { document, lines };
  const wrong = yamlProblems(parsed);
  if (wrong.length > 0) return { config: undefined, problems: wrong };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return { config: undefined, problems: [{ line: 1, column: 1, path: "", message: messageOf(error) }] };
  }
  const result = configSchema().safeParse(value ?? {});
  if (!result.success) return { config: undefined, problems: schemaProblems(result.error, parsed) };
  return { config: configOf(resolve(file), result.data), problems: [] };
}

/** Reads a file that is to be used. Throws E_CONFIG with its first problem. */
export async function loadConfig(file: string): Promise<ConfigFile> {
  const { config, problems } = await checkConfig(file);
  if (config) return config;
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more: caisson config check ${file})` : "";
  throw new CaissonError("E_CONFIG", `${first ? problemText(file, first) : file}${more}`);
}

function configOf(file: string, shape: ConfigShape): ConfigFile {
  const folder = dirname(file);
  const { tunnels = {}, serve = {}, ...client } = shape;
  return {
    file,
    folder,
    client,
    serve,
    tunnels: Object.entries(tunnels).map(([key, settings]) => tunnelOf(key, settings, folder)),
  };
}

function tunnelOf(key: string, settings: TunnelSettings, folder: string): ConfiguredTunnel {
  const { target, type = "http", name = key, port, health } = settings;
  const caFile = settings["target-ca"];
  return {
    key,
    target,
    type,
    ...given("name", name === randomNameMark ? undefined : name),
    ...given("port", port),
    ...given("hostHeader", settings["host-header"]),
    ...given("targetInsecure", settings["target-insecure"]),
    ...given("targetCaFile", caFile === undefined ? undefined : resolvePath(caFile, folder)),
    ...given("health", health && healthOf(health)),
  };
}

function healthOf({ path, interval, timeout, ...after }: HealthSettings): HealthOptions {
  return {
    ...given("path", path),
    ...given("intervalMs", interval === undefined ? undefined : parseDuration(String(interval))),
    ...given("timeoutMs", timeout === undefined ? undefined : parseDuration(String(timeout))),
    ...given("failAfter", after["fail-after"]),
    ...given("passAfter", after["pass-after"]),
  };
}

async function readText(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > maxBytes) throw new CaissonError("E_CONFIG", "it is larger than 1 MiB");
    return bytes.toString("utf8");
  } catch (error) {
    throw new CaissonError("E_CONFIG", `cannot read the configuration ${file}: ${messageOf(error)}`, { cause: error });
  }
}
