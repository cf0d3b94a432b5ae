// Which certificate is for which name: exact names first, then wildcards for one label, then the first certificate.
// Built once per set of certificates, never changed.

import type { Certificate } from "./certificate-source.ts";

/** An index over a set of certificates. Where two claim a name, the first has it. */
export class CertificateNames {
  readonly firstExpiryMs: number | undefined;
  readonly #byName = new Map<string, Certificate>();
  readonly #fallback: Certificate | undefined;

  constructor(certificates: readonly Certificate[]) {
    [this.#fallback] = certificates;
    for (const certificate of certificates) {
      for (const name of certificate.names) if (!this.#byName.has(name)) this.#byName.set(name, certificate);
    }
    const expiries = certificates.map(({ expiresAtMs }) => expiresAtMs);
    this.firstExpiryMs = expiries.length === 0 ? undefined : Math.min(...expiries);
  }

  /** The certificate for a lower-case name, or the one for everybody else. */
  find(name: string | undefined): Certificate | undefined {
    if (name === undefined) return this.#fallback;
    const exact = this.#byName.get(name);
    if (exact) return exact;
    const dot = name.indexOf(".");
    return (dot > 0 ? this.#byName.get(`*${name.slice(dot)}`) : undefined) ?? this.#fallback;
  }
}
