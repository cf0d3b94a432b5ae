// Certificates from files, looked at again and again: a pair that changed and is good replaces the one before, a pair
// that is not (half-written, expired, of another key) is reported once and leaves the last good one in force.

import { readFile, stat } from "node:fs/promises";
import type { Deadline } from "../lifecycle/deadlines.ts";
import { CaissonError, messageOf } from "../lifecycle/errors.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import { CertificateNames } from "./certificate-names.ts";
import type { PairFiles, PairTexts } from "./certificate-pair.ts";
import { readPair } from "./certificate-pair.ts";
import type { Certificate, CertificateSource } from "./certificate-source.ts";

/** Nothing that a certificate or key is comes near this, in bytes. */
const maxFileBytes = 1024 * 1024;

/** Options of {@link CertificateFiles}. */
export interface CertificateFilesOptions {
  readonly runtime: Runtime;
  /** One or more. */
  readonly pairs: readonly PairFiles[];
  /** How often the files are looked at, in milliseconds. */
  readonly pollMs: number;
  /** Takes sentences for operators. Never holds a secret. */
  readonly onWarning: (message: string) => void;
}

interface Loaded {
  readonly files: PairFiles;
  certificate: Certificate;
  /** What the files looked like when they were read, good or not. */
  seen: string;
  /** What they looked like at the last look; they are read when they have stopped changing. */
  lastLook: string;
  complaint: string;
}

/** Certificates whose files are watched. Empty until they are opened. */
export class CertificateFiles implements CertificateSource {
  readonly #options: CertificateFilesOptions;
  readonly #poll: Deadline;
  #loaded: readonly Loaded[] = [];
  #names: CertificateNames = new CertificateNames([]);
  #closed = false;

  constructor(options: CertificateFilesOptions) {
    this.#options = options;
    this.#poll = options.runtime.deadlines.create(() => void this.#look());
  }

  /** Reads all pairs, and watches them from then on. Rejects with E_CONFIG when one of them cannot be used. */
  async open(): Promise<void> {
    const loaded: Loaded[] = [];
    for (const files of this.#options.pairs) {
      const seen = await fingerprint(files);
      const certificate = readPair(await readTexts(files), files);
      loaded.push({ files, certificate, seen, lastLook: seen, complaint: "" });
      if (hasExpired(certificate)) this.#options.onWarning(`the certificate in ${files.certFile} has expired`);
    }
    this.#loaded = loaded;
    this.#names = namesOf(loaded);
    this.#poll.arm(this.#options.pollMs);
  }

  get firstExpiryMs(): number | undefined {
    return this.#names.firstExpiryMs;
  }

  find(serverName: string | undefined): Certificate | undefined {
    return this.#names.find(serverName);
  }

  close(): void {
    this.#closed = true;
    this.#poll.dispose("closed");
  }

  async #look(): Promise<void> {
    await this.#options.runtime.operations.run("certificates", async () => {
      let changed = false;
      for (const loaded of this.#loaded) if (await this.#lookAt(loaded)) changed = true;
      if (changed) this.#names = namesOf(this.#loaded);
    });
    if (!this.#closed) this.#poll.arm(this.#options.pollMs);
  }

  /** Answers whether there is a new certificate. Never rejects. */
  async #lookAt(loaded: Loaded): Promise<boolean> {
    const look = await fingerprint(loaded.files).catch(messageOf);
    const settled = look === loaded.lastLook;
    loaded.lastLook = look;
    if (this.#closed || look === loaded.seen || !settled) return false;
    try {
      const certificate = readPair(await readTexts(loaded.files), loaded.files);
      // Written to meanwhile: the next look decides.
      if ((await fingerprint(loaded.files)) !== look) return false;
      loaded.seen = look;
      if (hasExpired(certificate) && !hasExpired(loaded.certificate)) {
        throw new CaissonError("E_CONFIG", `the new certificate in ${loaded.files.certFile} has expired`);
      }
      loaded.certificate = certificate;
      loaded.complaint = "";
      return true;
    } catch (error) {
      this.#complain(loaded, messageOf(error));
      return false;
    }
  }

  #complain(loaded: Loaded, complaint: string): void {
    if (this.#closed || complaint === loaded.complaint) return;
    loaded.complaint = complaint;
    this.#options.runtime.events.refused("certificate_reload");
    this.#options.onWarning(`${complaint}; the certificate read before stays in use`);
  }
}

function namesOf(loaded: readonly Loaded[]): CertificateNames {
  return new CertificateNames(loaded.map(({ certificate }) => certificate));
}

function hasExpired({ expiresAtMs }: Certificate): boolean {
  return expiresAtMs <= Date.now();
}

/** What changes when the files do, also when a link to them leads elsewhere. */
async function fingerprint(files: PairFiles): Promise<string> {
  const parts: string[] = [];
  for (const file of [files.certFile, files.keyFile]) {
    try {
      const { dev, ino, size, mtimeMs } = await stat(file);
      parts.push(`${dev}:${ino}:${size}:${mtimeMs}`);
    } catch (error) {
      throw unreadable(file, error);
    }
  }
  return parts.join(" ");
}

async function readTexts(files: PairFiles): Promise<PairTexts> {
  return { chain: await readSmall(files.certFile), key: await readSmall(files.keyFile) };
}

async function readSmall(file: string): Promise<string> {
  try {
    if ((await stat(file)).size > maxFileBytes) throw new Error("it is too large to be a certificate or a key");
    return await readFile(file, "utf8");
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): CaissonError {
  return new CaissonError("E_CONFIG", `cannot read ${file}: ${messageOf(error)}`, { cause: error });
}
