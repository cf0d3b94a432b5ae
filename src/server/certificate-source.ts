// Where the certificates of visitors' connections come from. Files are one source; others only have to answer this.
// Asked at every handshake, so that a source may change its mind at any time without telling anybody.

/** A certificate that passed its checks, with its key. Replaced as a whole, never changed. */
export interface Certificate {
  /** PEM: the leaf first, then what leads to an authority. */
  readonly chain: string;
  /** PEM. A secret. */
  readonly key: string;
  /** DNS names that it is good for, lower-case; `*.` stands for one label. */
  readonly names: readonly string[];
  /** When it expires, in milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** Certificates by name. */
export interface CertificateSource {
  /**
   * The certificate for a name that a visitor asked for (lower-case; undefined if it asked for none), or the next best;
   * undefined if there is none at all. The same object for as long as it is the same certificate.
   */
  find(serverName: string | undefined): Certificate | undefined;
  /** When the first of them expires, in milliseconds since 1970; undefined if there are none. */
  readonly firstExpiryMs: number | undefined;
  /** Stops whatever it does by itself. Idempotent. */
  close(): void;
}
