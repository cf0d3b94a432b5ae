// A certificate authority of a test's own, by openssl: leaves for any names, in files of a folder that goes with it.
// Everything is made when it is needed, so that nothing here can expire.

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A certificate and its key, in files. */
export interface IssuedPair {
  readonly cert: string;
  readonly key: string;
}

/** What may be unusual about a certificate. */
export interface IssueOptions {
  /** It was good until yesterday. */
  readonly expired?: boolean;
}

/** An authority and what it has issued. */
export class Authority {
  readonly folder: string;
  #issued = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the authority's own key and certificate. */
  static async create(): Promise<Authority> {
    const authority = new Authority(mkdtempSync(join(tmpdir(), "caisson-ca-")));
    await run("openssl", [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "30",
      "-subj",
      "/CN=test authority",
      "-keyout",
      authority.#file("ca.key"),
      "-out",
      authority.caFile,
    ]);
    return authority;
  }

  /** PEM file of its certificate. */
  get caFile(): string {
    return this.#file("ca.pem");
  }

  /** PEM of its certificate. */
  get ca(): string {
    return readFileSync(this.caFile, "utf8");
  }

  /** A leaf for `names`: DNS names, or IP addresses. */
  async issue(names: readonly string[], options: IssueOptions = {}): Promise<IssuedPair> {
    this.#issued += 1;
    const base = this.#file(`leaf${this.#issued}`);
    const alternatives = names.map((name) => (/^[\d.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name}`)).join(",");
    writeFileSync(`${base}.ext`, `subjectAltName=${alternatives}\nbasicConstraints=CA:FALSE\n`);
    await run("openssl", [
      "req",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-subj",
      "/CN=leaf",
      "-keyout",
      `${base}.key`,
      "-out",
      `${base}.csr`,
    ]);
    await run("openssl", [
      "x509",
      "-req",
      "-in",
      `${base}.csr`,
      "-CA",
      this.caFile,
      "-CAkey",
      this.#file("ca.key"),
      "-CAcreateserial",
      "-days",
      options.expired === true ? "-1" : "20",
      "-extfile",
      `${base}.ext`,
      "-out",
      `${base}.pem`,
    ]);
    return { cert: `${base}.pem`, key: `${base}.key` };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #file(name: string): string {
    return join(this.folder, name);
  }
}
