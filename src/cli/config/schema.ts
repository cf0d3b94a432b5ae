// What a configuration file may say, as a schema of zod: made from the flags of `start` and `serve`, and the tunnels beside
// them. It is also exported as JSON Schema, so that editors complete and check the file.

import type { Option } from "commander";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { parseServerAddress } from "../../client/server-address.ts";
import { parseTarget } from "../../client/target.ts";
import { messageOf } from "../../lifecycle/errors.ts";
import { define as defineServe } from "../definitions/serve.ts";
import { define as defineStart } from "../definitions/start.ts";
import { countForm, durationForm, parseDuration, sizeForm } from "../quantities.ts";
import type { Settings } from "./settings.ts";
import { formOf, readSetting, settingsOf } from "./settings.ts";

/** One tunnel, as the file says it. */
export interface TunnelSettings {
  readonly target: string | number;
  readonly type?: "http" | "tcp" | "tls" | undefined;
  readonly name?: string | undefined;
  readonly port?: number | undefined;
  readonly "host-header"?: string | undefined;
  readonly "target-ca"?: string | undefined;
  readonly "target-insecure"?: boolean | undefined;
  readonly health?: HealthSettings | undefined;
}

/** How a target is checked, as the file says it. */
export interface HealthSettings {
  readonly path?: string | undefined;
  readonly interval?: string | number | undefined;
  readonly timeout?: string | number | undefined;
  readonly "fail-after"?: number | undefined;
  readonly "pass-after"?: number | undefined;
}

/** A whole file; further keys are the flags of `caisson start`. */
export interface ConfigShape extends Settings {
  readonly tunnels?: Readonly<Record<string, TunnelSettings>> | undefined;
  readonly serve?: Settings | undefined;
}

/** The name that stands for a random one. */
export const randomNameMark = "*";

const labelPattern = /^(?!-)(?!xn--)[a-z0-9-]{1,63}(?<!-)$/u;
const labelForm = "a name has 1 to 63 of a-z, 0-9 and -, no hyphen at its ends, and no xn-- in front";
/** What only means something to a target that is spoken to in HTTP. */
const httpOnlyKeys = ["host-header", "target-ca", "target-insecure"] as const;
const durationPattern = /^\d+(?:\.\d+)?(?:ms|s|m|h)?$/u;

const duration = z
  .union([z.number().nonnegative(), z.string().regex(durationPattern, { error: `write ${durationForm}` })], {
    error: `write ${durationForm}`,
  })
  .refine((value) => parseDuration(String(value)) !== undefined, { error: `write ${durationForm}, at most 30 days` });

const health = z.strictObject({
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/u, { error: "write a path such as /healthz" })
    .optional()
    .describe("the path of a GET that must be answered by 200 to 399; without it a connection is enough"),
  interval: duration
    .refine((value) => (parseDuration(String(value)) ?? 0) >= 100, { error: "the least is 100ms" })
    .optional()
    .describe("between two checks (default: 10 s)"),
  timeout: duration.optional().describe("for one check (default: 2 s)"),
  "fail-after": z
    .int()
    .min(1)
    .optional()
    .describe("failures in a row that take the tunnel out of service (default: 3)"),
  "pass-after": z.int().min(1).optional().describe("good answers in a row that put it back (default: 2)"),
});

const tunnel = z
  .strictObject({
    target: z
      .union([z.int().min(1).max(65_535), z.string()], { error: "write a port or an address such as 127.0.0.1:8000" })
      .describe("8000, host:port, http://host:port or https://host:port"),
    type: z.enum(["http", "tcp", "tls"]).optional().describe("what it carries (default: http)"),
    name: z
      .union([z.literal(randomNameMark), z.string().regex(labelPattern)], {
        error: `${labelForm}; "*" is a random one`,
      })
      .optional()
      .describe('the public name, "*" for a random one (default: the key)'),
    port: z.int().min(1).max(65_535).optional().describe("the public port of a TCP tunnel (default: any)"),
    "host-header": z.string().optional().describe('"rewrite" sends the target its own Host, anything else as it is'),
    "target-ca": z.string().optional().describe("certificate authorities of an https target, a PEM file"),
    "target-insecure": z.boolean().optional().describe("accept any certificate of the target"),
    health: health.optional().describe("checks of the target that take the tunnel out of service and back"),
  })
  .superRefine((settings, context) => {
    const { type = "http", target, port } = settings;
    const hostHeader = type === "http" ? settings["host-header"] : undefined;
    try {
      parseTarget(type, String(target), hostHeader === undefined ? {} : { hostHeader });
    } catch (error) {
      context.addIssue({ code: "custom", path: ["target"], message: messageOf(error) });
    }
    for (const key of httpOnlyKeys) {
      if (type === "http" || settings[key] === undefined) continue;
      const message = `the bytes of a tunnel of type ${type} pass as they are: leave it out`;
      context.addIssue({ code: "custom", path: [key], message });
    }
    if (type === "tls" && settings.health?.path !== undefined) {
      const message = "the target of a tunnel of type tls is checked by a connection alone: leave the path out";
      context.addIssue({ code: "custom", path: ["health", "path"], message });
    }
    if (type !== "tcp" && port !== undefined) {
      context.addIssue({ code: "custom", path: ["port"], message: "only a tunnel of type tcp has a public port" });
    }
  });

const tunnels = z.record(z.string().regex(labelPattern, { error: labelForm }), tunnel).superRefine((all, context) => {
  const owners = new Map<string, string>();
  for (const [key, { name = key }] of Object.entries(all)) {
    const owner = owners.get(name);
    if (owner !== undefined && name !== randomNameMark) {
      context.addIssue({ code: "custom", path: [key], message: `the tunnel ${owner} has the name ${name} already` });
    }
    owners.set(name, key);
  }
});

/** The schema of a whole file. Made when it is needed: it takes milliseconds. */
export function configSchema(): z.ZodType<ConfigShape> {
  const settings = shapeOf(defineStart);
  return z
    .strictObject({
      ...settings,
      tunnels: tunnels.optional().describe("what caisson start publishes, by a key for each"),
      serve: z.strictObject(shapeOf(defineServe)).optional().describe("flags of caisson serve"),
    })
    .superRefine((all, context) => {
      const server: unknown = Reflect.get(all, "server");
      for (const url of [server].flat()) {
        if (typeof url !== "string") continue;
        try {
          parseServerAddress(url);
        } catch (error) {
          context.addIssue({ code: "custom", path: ["server"], message: messageOf(error) });
        }
      }
    });
}

/** The schema for editors, as JSON Schema. */
export function configJsonSchema(): object {
  const schema = z.toJSONSchema(configSchema(), { target: "draft-7", io: "input" });
  return { ...schema, title: "Configuration of Caisson", description: "See docs/configuration.md" };
}

type Define = typeof defineServe;

function shapeOf(define: Define): Record<string, z.ZodType> {
  const command = new Command();
  define(command, { env: {}, config: undefined, accept: () => undefined });
  const shape: Record<string, z.ZodType> = {};
  for (const [name, option] of settingsOf(command))
    shape[name] = schemaOf(option).optional().describe(option.description);
  return shape;
}

function schemaOf(option: Option): z.ZodType {
  return typeOf(option).superRefine((value, context) => {
    try {
      readSetting(option, value, "/");
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
    }
  });
}

function typeOf(option: Option): z.ZodType {
  const written = formOf(option);
  switch (written.form) {
    case "switch":
      return z.boolean();
    case "choice":
      return z.enum(written.choices);
    case "duration":
      return z.union(
        [z.number().nonnegative(), z.string().regex(durationPattern, { error: `write ${durationForm}` })],
        { error: `write ${durationForm}` },
      );
    case "bytes":
      return z.union([z.int().nonnegative(), z.string()], { error: `write ${sizeForm}` });
    case "count":
      return z.int({ error: `write ${countForm}` }).nonnegative();
    case "list":
      return z.union([z.string(), z.array(z.string()).min(1)], { error: "write a text, or a list of texts" });
    case "address":
      return z.union([z.string(), z.int().nonnegative()], { error: "write an address such as 127.0.0.1:8080" });
    case "text":
      return z.string();
    default:
      return written satisfies never;
  }
}
