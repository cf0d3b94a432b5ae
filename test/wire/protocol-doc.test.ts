// docs/protocol.md says what the code does: every table of numbers and words is compared.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultMuxLimits } from "../../src/mux/limits.ts";
import { goAwayCodes, resetCodes } from "../../src/wire/codes.ts";
import { decodeFrames } from "../../src/wire/decode.ts";
import { encodeFrame } from "../../src/wire/encode.ts";
import { fixedPayloadBytes, frameFlags, frameTypes } from "../../src/wire/frame.ts";
import * as limits from "../../src/wire/limits.ts";
import { tlsFeature, tracedFeature, tracedPipesFeature } from "../../src/wire/control.ts";
import { maxVisitorBytes, openFlags, pipeFlags, traceparentBytes } from "../../src/wire/open-codec.ts";
import { readPackageFile } from "../support/package-file.ts";
import { violationReasons } from "../../src/wire/violation.ts";

const text = readPackageFile("docs/protocol.md");

/** The cells of a line of a table. */
function cells(line: string): string[] {
  return line
    .slice(1, line.lastIndexOf("|"))
    .split("|")
    .map((cell) => cell.trim());
}

/** The rows of the table whose first header cell is `first`. */
function table(first: string): string[][] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.startsWith("|") && cells(line)[0] === first);
  assert.ok(start >= 0, `a table of ${first}`);
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith("|")),
    )
    .map(cells);
}

/** Two columns of a table as an object. */
function columns(first: string, key: number, value: number): Record<string, string> {
  return Object.fromEntries(table(first).map((row) => [row[key] ?? "", row[value] ?? ""]));
}

function asText(numbers: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, String(number)]));
}

describe("docs/protocol.md", () => {
  it("fits on 250 lines", () => {
    assert.ok(text.split("\n").length <= 251);
  });

  it("lists the frame types", () => {
    // The table of control messages begins with the same word; it comes later.
    assert.deepEqual(columns("type", 0, 1), asText(frameTypes));
  });

  it("says which types carry a stream and END", () => {
    for (const [name = "", number, , stream, end] of table("type")) {
      const fixed = Object.entries(fixedPayloadBytes).find(([type]) => type === name)?.[1];
      const accepted = (streamId: number, flags: number): boolean => {
        try {
          decodeFrames(encodeFrame(Number(number), flags, streamId, Buffer.alloc(fixed ?? 4)), { onFrame: () => {} });
          return true;
        } catch {
          return false;
        }
      };
      const flagsThatFit = [0, frameFlags.end].filter((flags) => accepted(stream === "yes" ? 1 : 0, flags));
      assert.ok(!accepted(stream === "yes" ? 0 : 1, flagsThatFit[0] ?? 0), name);
      assert.deepEqual(flagsThatFit, { may: [0, 1], must: [1], no: [0] }[end ?? ""], name);
    }
  });

  it("lists the codes of RESET and GOAWAY", () => {
    assert.deepEqual(columns("RESET code", 0, 1), asText(resetCodes));
    assert.deepEqual(columns("GOAWAY code", 0, 1), asText(goAwayCodes));
  });

  it("lists the violations", () => {
    assert.deepEqual(columns("word", 0, 1), { ...violationReasons });
  });

  it("lists the limits", () => {
    const { protocolName, ...numbers } = limits;
    assert.ok(text.startsWith(`# ${protocolName}\n`));
    assert.deepEqual(columns("limit", 0, 1), asText(numbers));
  });

  it("names the flags of OPEN", () => {
    const sentence = text.slice(text.indexOf("Flags of an exchange"), text.indexOf("Other bits are ignored"));
    for (const bit of Object.values(openFlags)) assert.match(sentence, new RegExp(`\\b${bit} `));
    assert.match(text, new RegExp(`0 to ${maxVisitorBytes} bytes`));
    assert.match(text, new RegExp(`a trace, ${traceparentBytes} bytes`));
    assert.match(text, new RegExp(`^Flag ${pipeFlags.traced} of a pipe: it begins with a trace`, "m"));
  });

  it("names the features", () => {
    const sentence = text.slice(text.indexOf("Three features exist"), text.indexOf("## Control messages"));
    const named = [...sentence.matchAll(/that names `(\w+)`/g)].map(([, name]) => name);
    assert.deepEqual(new Set(named), new Set([tlsFeature, tracedFeature, tracedPipesFeature]));
  });

  it("names the default times", () => {
    const { pingMs, deadAfterMs, probeMs, helloMs, resetAnswerMs, floodWindowMs, pings, deadBytes } = defaultMuxLimits;
    assert.match(text, new RegExp(`sends PING about every ${pingMs / 1000} s`));
    assert.match(text, new RegExp(`for ${deadAfterMs / 1000} s is dead`));
    assert.match(text, new RegExp(`waits ${probeMs / 1000} s`));
    assert.match(text, new RegExp(`arrive within ${helloMs / 1000} s`));
    assert.match(text, new RegExp(`No answer within ${resetAnswerMs / 1000} s`));
    assert.match(text, new RegExp(`More than ${pings} PINGs in ${floodWindowMs / 1000} s`));
    assert.match(text, new RegExp(`${deadBytes / 1024 / 1024} MiB within ${floodWindowMs / 1000} s`));
  });
});
