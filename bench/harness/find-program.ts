// Where programs lie that npm does not bring: those of PATH, of the system's own folders, or of an environment variable.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The path of a program, or undefined. System folders are searched even when PATH leaves them out. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** What the environment variable names, if it can be run; without the variable, the program of that name. */
export function programOf(variable: string, name: string): string | undefined {
  const named = process.env[variable];
  if (named === undefined || named === "") return findProgram(name);
  return isExecutable(named) ? named : undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
