// What is wrong with a configuration file, with the place where it is: a line and a column that an editor jumps to, the key,
// and what to write instead.

import type { Document, LineCounter, Node } from "yaml";
import { isMap, isNode, isScalar } from "yaml";
import type { z } from "zod";

/** One thing that is wrong. Lines and columns begin with 1. */
export interface ConfigProblem {
  readonly line: number;
  readonly column: number;
  /** Such as `tunnels.shop.target`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
}

/** The parts of a file that has been parsed. */
export interface ParsedYaml {
  readonly document: Document;
  readonly lines: LineCounter;
}

/** A problem as one line: `caisson.yaml:3:5: tunnels.shop.target: write a port`. */
export function problemText(file: string, { line, column, path, message }: ConfigProblem): string {
  return `${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${message}`;
}

/** What YAML itself complains of. */
export function yamlProblems({ document, lines }: ParsedYaml): ConfigProblem[] {
  return document.errors.map(({ message, pos }) => ({
    ...placeAt(lines, pos[0]),
    path: "",
    message: message.split("\n", 1)[0] ?? message,
  }));
}

/** What the schema complains of, in the order of the file. */
export function schemaProblems(error: z.ZodError, parsed: ParsedYaml): ConfigProblem[] {
  // One value may break several rules; the first of them says enough.
  const byPath = new Map<string, ConfigProblem>();
  for (const problem of error.issues.flatMap((issue) => problemsOf(issue, parsed))) {
    if (!byPath.has(problem.path)) byPath.set(problem.path, problem);
  }
  return [...byPath.values()].toSorted((a, b) => a.line - b.line || a.column - b.column);
}

type Issue = z.ZodError["issues"][number];

function problemsOf(issue: Issue, parsed: ParsedYaml): ConfigProblem[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      ...placeOf([...path, key], parsed),
      path: [...path, key].join("."),
      message: "there is no such key",
    }));
  }
  const message = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : messageFor(issue);
  return [{ ...placeOf(path, parsed), path: path.join("."), message }];
}

function messageFor(issue: Issue): string {
  if (issue.code === "invalid_type" && issue.input === undefined && issue.message.endsWith("received undefined")) {
    return "this key is missing";
  }
  return issue.message.replace(/^Invalid input: /u, "").replace(/^Invalid option: /u, "");
}

/** Where the value stands; for one that is missing, where what should hold it stands. */
function placeOf(path: readonly string[], { document, lines }: ParsedYaml): { line: number; column: number } {
  for (let length = path.length; length > 0; length -= 1) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const node = keyNode(parent, path[length - 1] ?? "") ?? document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return placeAt(lines, node.range[0]);
  }
  return placeAt(lines, document.contents?.range?.[0] ?? 0);
}

function keyNode(parent: unknown, key: string): Node | undefined {
  if (!isMap(parent)) return undefined;
  for (const item of parent.items) if (isScalar(item.key) && String(item.key.value) === key) return item.key;
  return undefined;
}

function placeAt(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
