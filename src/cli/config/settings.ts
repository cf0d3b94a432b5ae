// A command's flags as keys of the configuration file: what each may be written as there, and how it gets into a command.
// Flags are the only list of settings, so that a new flag can be set in the file without another line of code.

import { homedir } from "node:os";
import { resolve } from "node:path";
import type { Command, Option } from "commander";
import { collectList } from "../option-readers.ts";

/** Values of a section of the file, by the names of flags. */
export type Settings = Readonly<Record<string, unknown>>;

/** How a flag is written in the file. */
export type SettingForm =
  | { readonly form: "switch" }
  | { readonly form: "duration" | "bytes" | "count" | "address" | "text" | "list" }
  | { readonly form: "choice"; readonly choices: readonly string[] };

/** Flags that make no sense in a file. */
const notInFiles: ReadonlySet<string> = new Set(["config", "help", "json"]);

/** The flags of a command that may stand in the file, by their names. */
export function settingsOf(command: Command): ReadonlyMap<string, Option> {
  const options = command.options.filter((option) => !notInFiles.has(option.name()));
  return new Map(options.map((option) => [option.name(), option]));
}

/** What a flag may be written as, which its placeholder tells. */
export function formOf(option: Option): SettingForm {
  if (option.isBoolean()) return { form: "switch" };
  if (option.argChoices !== undefined) return { form: "choice", choices: option.argChoices };
  if (option.parseArg === collectList || /repeatable/u.test(option.description)) return { form: "list" };
  if (option.flags.includes("<seconds>")) return { form: "duration" };
  if (option.flags.includes("<bytes>")) return { form: "bytes" };
  if (option.flags.includes("<number>")) return { form: "count" };
  return { form: option.flags.includes("port>") ? "address" : "text" };
}

/** A value of the file as the flag would have read it. Throws commander's InvalidArgumentError. */
export function readSetting(option: Option, value: unknown, folder: string): unknown {
  if (option.isBoolean()) return value;
  let read: unknown;
  for (const item of Array.isArray(value) ? value : [value]) {
    const written = String(item);
    const text = /<(?:file|folder)>/u.test(option.flags) ? resolvePath(written, folder) : written;
    read = option.parseArg ? option.parseArg<unknown>(text, read) : text;
  }
  return read;
}

/** Sets what neither the command line nor the environment has set. `settings` have been checked. */
export function applySettings(command: Command, settings: Settings, folder: string): void {
  for (const [name, option] of settingsOf(command)) {
    const value = settings[name];
    const source = command.getOptionValueSource(option.attributeName());
    if (value === undefined || source === "cli" || source === "env") continue;
    command.setOptionValueWithSource(option.attributeName(), readSetting(option, value, folder), "config");
  }
}

/** A path of the file: `~/` is the home folder, and what is relative is so to the file's own folder. */
export function resolvePath(written: string, folder: string): string {
  return written.startsWith("~/") ? resolve(homedir(), written.slice(2)) : resolve(folder, written);
}
