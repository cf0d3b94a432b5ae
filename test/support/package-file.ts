// Files of the package that tests read, wherever the compiled tests lie.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The full path of a file, by its path from the package's root. */
export function packagePath(path: string): string {
  let folder = new URL("./", import.meta.url);
  while (!existsSync(new URL(path, folder))) {
    const up = new URL("../", folder);
    if (up.href === folder.href) throw new Error(`no ${path} above ${import.meta.url}`);
    folder = up;
  }
  return fileURLToPath(new URL(path, folder));
}

/** The text of a file, by its path from the package's root. */
export function readPackageFile(path: string): string {
  return readFileSync(packagePath(path), "utf8");
}
