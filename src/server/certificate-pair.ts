// One certificate and its key as texts, checked so that what is accepted here works in a handshake. Pure.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { CaissonError, messageOf } from "../lifecycle/errors.ts";
import type { Certificate } from "./certificate-source.ts";

/** Where the texts come from, for messages. */
export interface PairFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What stands in the two files. */
export interface PairTexts {
  readonly chain: string;
  readonly key: string;
}

/** The certificate in two PEM texts. Throws E_CONFIG, saying which file is to blame; never repeats what is in a key. */
export function readPair(texts: PairTexts, files: PairFiles): Certificate {
  const leaf = leafOf(texts.chain, files.certFile);
  checkKey(texts.key, { leaf, ...files });
  try {
    createSecureContext({ cert: texts.chain, key: texts.key });
  } catch (error) {
    throw bad(`${files.certFile} and ${files.keyFile} cannot be used: ${messageOf(error)}`, error);
  }
  return { ...texts, names: namesOf(leaf), expiresAtMs: Date.parse(leaf.validTo) };
}

function leafOf(chain: string, file: string): X509Certificate {
  if (!chain.includes("-----BEGIN CERTIFICATE-----")) {
    const hint = chain.includes("PRIVATE KEY-----") ? "it holds a key: are --tls-cert and --tls-key swapped?" : "";
    throw bad(`${file} holds no PEM certificate${hint === "" ? "" : `; ${hint}`}`);
  }
  try {
    return new X509Certificate(chain);
  } catch (error) {
    throw bad(`the certificate in ${file} cannot be read: ${messageOf(error)}`, error);
  }
}

function checkKey(key: string, pair: PairFiles & { readonly leaf: X509Certificate }): void {
  if (!key.includes("PRIVATE KEY-----")) throw bad(`${pair.keyFile} holds no PEM private key`);
  if (key.includes("ENCRYPTED")) {
    throw bad(`the key in ${pair.keyFile} is encrypted; store it without a passphrase, readable by the server only`);
  }
  let matches: boolean;
  try {
    matches = pair.leaf.checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw bad(`the key in ${pair.keyFile} cannot be read`, error);
  }
  if (!matches) throw bad(`the key in ${pair.keyFile} does not belong to the certificate in ${pair.certFile}`);
}

/** DNS names; of a certificate without alternative names, its common name. */
function namesOf(leaf: X509Certificate): string[] {
  // Names that hold odd characters are quoted, and no host has such a name.
  const parts = (leaf.subjectAltName ?? "").split(", ");
  const names = parts.filter((part) => /^DNS:[\w*.-]+$/u.test(part)).map((part) => part.slice(4).toLowerCase());
  if (leaf.subjectAltName !== undefined) return names;
  const commonName = /^CN=([\w*.-]+)$/mu.exec(leaf.subject)?.[1];
  return commonName === undefined ? [] : [commonName.toLowerCase()];
}

function bad(message: string, cause?: unknown): CaissonError {
  return new CaissonError("E_CONFIG", message, { cause });
}
