// CONTROL payloads: JSON, UTF-8. Known messages are checked field by field and rebuilt, so that nothing unexpected goes on;
// unknown keys are dropped, unknown types are undefined, and a known type in a wrong shape is a violation.

import type {
  Closed,
  ControlMessage,
  Hello,
  Notice,
  Refused,
  Register,
  Registered,
  RegisterRefusal,
  Unregister,
} from "./control.ts";
import { maxControlBytes, maxNoticeMs, maxStreamId, protocolName } from "./limits.ts";
import { violation } from "./violation.ts";

type Fields = Readonly<Record<string, unknown>>;

const instancePattern = /^[A-Za-z0-9_-]{1,64}$/;
const refusals: readonly RegisterRefusal[] = [
  "name_taken",
  "name_invalid",
  "name_reserved",
  "not_allowed",
  "port_taken",
  "port_invalid",
  "tcp_off",
  "tls_off",
  "too_many",
  "shutting_down",
];
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The payload of a message. Throws a RangeError above 16 KiB, for the peer would end the session over it. */
export function encodeControl(message: ControlMessage): Buffer {
  const payload = Buffer.from(JSON.stringify(message));
  if (payload.length > maxControlBytes) throw new RangeError(`a ${message.type} message of ${payload.length} bytes`);
  return payload;
}

/** The message in a payload, or undefined if its type is not known. Throws a violation if it makes no sense. */
export function decodeControl(payload: Uint8Array): ControlMessage | undefined {
  const fields = parse(payload);
  const type = fields["type"];
  if (typeof type !== "string") throw violation("bad_control");
  switch (type) {
    case "hello":
      return readHello(fields);
    case "register":
      return readRegister(fields);
    case "registered":
      return readRegistered(fields);
    case "refused":
      return readRefused(fields);
    case "unregister":
      return { type, id: tunnelId(fields) } satisfies Unregister;
    case "closed":
      return { type, id: tunnelId(fields), reason: text(fields, "reason", 256) } satisfies Closed;
    case "notice":
      return { type, pauseMs: integer(fields, "pauseMs", 0, maxNoticeMs) } satisfies Notice;
    default:
      return undefined;
  }
}

function parse(payload: Uint8Array): Fields {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(payload));
  } catch (error) {
    throw violation("bad_control", error);
  }
  return asFields(value);
}

function readHello(fields: Fields): Hello {
  if (fields["protocol"] !== protocolName) throw violation("protocol_version");
  const instance = text(fields, "instance", 64);
  if (!instancePattern.test(instance)) throw violation("bad_control");
  const features = fields["features"];
  if (!Array.isArray(features) || features.length > 64) throw violation("bad_control");
  const limits = asFields(fields["limits"]);
  return {
    type: "hello",
    protocol: protocolName,
    version: text(fields, "version", 64),
    instance,
    features: features.map((feature: unknown) => {
      if (typeof feature !== "string" || feature.length > 64) throw violation("bad_control");
      return feature;
    }),
    limits: { maxStreams: integer(limits, "maxStreams", 1, maxStreamId) },
  };
}

function readRegister(fields: Fields): Register {
  const kind = fields["kind"];
  if (kind !== "http" && kind !== "tcp" && kind !== "tls") throw violation("bad_control");
  return {
    type: "register",
    id: tunnelId(fields),
    kind,
    ...(fields["name"] === undefined ? {} : { name: text(fields, "name", 256) }),
    ...(fields["resumeKey"] === undefined ? {} : { resumeKey: text(fields, "resumeKey", 256) }),
    ...(fields["port"] === undefined ? {} : { port: integer(fields, "port", 0, 65_535) }),
  };
}

function readRegistered(fields: Fields): Registered {
  const direct = asFields(fields["direct"]);
  return {
    type: "registered",
    id: tunnelId(fields),
    name: text(fields, "name", 256),
    url: text(fields, "url", 2048),
    direct: { url: text(direct, "url", 2048), host: text(direct, "host", 256) },
    resumeKey: text(fields, "resumeKey", 256),
  };
}

function readRefused(fields: Fields): Refused {
  const word = fields["code"];
  if (typeof word !== "string") throw violation("bad_control");
  return {
    type: "refused",
    id: tunnelId(fields),
    // A newer server may know more reasons; what it means for the client is the same.
    code: refusals.find((refusal) => refusal === word) ?? "not_allowed",
    message: text(fields, "message", 1024),
  };
}

function asFields(value: unknown): Fields {
  if (!isFields(value)) throw violation("bad_control");
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function tunnelId(fields: Fields): number {
  return integer(fields, "id", 1, 2 ** 31 - 1);
}

function text(fields: Fields, key: string, maxLength: number): string {
  const value = fields[key];
  if (typeof value !== "string" || value.length > maxLength) throw violation("bad_control");
  return value;
}

function integer(fields: Fields, key: string, min: number, max: number): number {
  const value = fields[key];
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw violation("bad_control");
  }
  return value;
}
