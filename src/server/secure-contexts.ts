// OpenSSL's contexts, one per certificate in use: made at the first handshake that needs one, kept for the next ones, the
// one used longest ago let go when there are too many. A context that is let go serves its connections to their end.

import { constants } from "node:crypto";
import type { SecureContext } from "node:tls";
import { createSecureContext } from "node:tls";
import type { Resource } from "../lifecycle/resource.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import type { Certificate, CertificateSource } from "./certificate-source.ts";

/** A certificate, ready for handshakes. It has its own keys for session tickets. */
class TlsContext implements Resource {
  readonly kind = "tls_context";
  readonly openedAtMs: number = performance.now();
  readonly context: SecureContext;

  constructor({ chain, key }: Certificate) {
    this.context = createSecureContext({
      cert: chain,
      key,
      minVersion: "TLSv1.2",
      // A renegotiation costs the server many times what it costs the visitor, and nobody needs one.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
  }
}

/** Options of {@link SecureContexts}. */
export interface SecureContextsOptions {
  readonly runtime: Runtime;
  /** Owned from here on. */
  readonly source: CertificateSource;
  /** How many contexts are kept; at least 1. */
  readonly maxContexts: number;
}

/** The contexts of one server. */
export class SecureContexts {
  readonly #options: SecureContextsOptions;
  /** The one used last is last. */
  readonly #contexts = new Map<Certificate, TlsContext>();
  #closed = false;

  constructor(options: SecureContextsOptions) {
    this.#options = options;
  }

  /** How many contexts are kept. */
  get size(): number {
    return this.#contexts.size;
  }

  /** When the first certificate expires, in milliseconds since 1970; undefined if there are none. */
  get firstExpiryMs(): number | undefined {
    return this.#options.source.firstExpiryMs;
  }

  /** The context for a visitor who asked for `serverName`; undefined if there is no certificate at all. */
  find(serverName: string | undefined): SecureContext | undefined {
    const certificate = this.#closed ? undefined : this.#options.source.find(serverName);
    if (!certificate) return undefined;
    let held = this.#contexts.get(certificate);
    if (held) this.#contexts.delete(certificate);
    else {
      held = new TlsContext(certificate);
      this.#options.runtime.events.opened(held);
    }
    this.#contexts.set(certificate, held);
    for (const oldest of this.#contexts.keys()) {
      if (this.#contexts.size <= this.#options.maxContexts) break;
      this.#drop(oldest, "cache_full");
    }
    return held.context;
  }

  /** Lets go of everything, and of the source. */
  close(): void {
    this.#closed = true;
    this.#options.source.close();
    for (const certificate of this.#contexts.keys()) this.#drop(certificate, "closed");
  }

  #drop(certificate: Certificate, reason: string): void {
    const held = this.#contexts.get(certificate);
    if (!held) return;
    this.#contexts.delete(certificate);
    this.#options.runtime.events.closed(held, reason);
  }
}
