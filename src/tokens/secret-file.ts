// A secret's first writing: whole or not at all. Of processes that start at the same moment one makes it, and the others
// read that one's; a full disk leaves no file behind that would be taken for one.

import { randomBytes } from "node:crypto";
import { link, mkdir, open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemCodeOf } from "../lifecycle/errors.ts";

/**
 * Writes `secret` and a line's end to `file`, mode 0600, making its folder (0700) if it is missing. False if the file is
 * there already, which is then left as it is. Throws what the file system throws.
 */
export async function writeNewSecret(file: string, secret: string): Promise<boolean> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Written aside and linked into place: whoever reads at the same moment never gets half of it.
  const draft = join(folder, `.${basename(file)}-${randomBytes(8).toString("hex")}`);
  try {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(`${secret}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, file);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
