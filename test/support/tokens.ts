// A tokens file of a test's own, in a folder that goes with it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { updateTokenFile } from "../../src/tokens/token-file.ts";
import type { TokenEntry } from "../../src/tokens/token-table.ts";
import { digestOf, idOf, newToken } from "../../src/tokens/token-text.ts";

/** What a token may do; everything if nothing is said. */
export type Scope = Partial<Omit<TokenEntry, "id" | "digest">>;

/** A token and its entry. */
export interface MadeToken {
  readonly token: string;
  readonly entry: TokenEntry;
}

/** A new token, not yet in any file. */
export function makeToken(scope: Scope = {}): MadeToken {
  const token = newToken();
  const digest = digestOf(token);
  const entry: TokenEntry = {
    label: "",
    createdMs: Date.now(),
    expiresMs: undefined,
    names: ["*"],
    ports: [],
    maxTunnels: undefined,
    ...scope,
    id: idOf(digest),
    digest,
  };
  return { token, entry };
}

/** The file. */
export class TokensFile {
  readonly folder: string = mkdtempSync(join(tmpdir(), "caisson-tokens-"));
  readonly file: string = join(this.folder, "tokens.json");

  /** Makes a token and writes it into the file. */
  async add(scope: Scope = {}): Promise<MadeToken> {
    const made = makeToken(scope);
    await updateTokenFile(this.file, (entries) => [...entries, made.entry]);
    return made;
  }

  /** Takes tokens out of the file. */
  async revoke(...ids: readonly string[]): Promise<void> {
    await updateTokenFile(this.file, (entries) => entries.filter(({ id }) => !ids.includes(id)));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
