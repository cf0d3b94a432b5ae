// Who may use the private listener: whoever shows the admin token, or a cookie that was got for it. Secrets are compared as
// digests in constant time. Cookies and one-time codes are few, expire, and live in memory only.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { GuessLimiter } from "../tokens/guess-limiter.ts";
import type { GuessLimits } from "../tokens/guess-limiter.ts";

/** How long a cookie is good for, in milliseconds: twelve hours. */
export const cookieMs: number = 12 * 3_600_000;
/** How long a one-time code is good for, in milliseconds: ten minutes. */
export const codeMs = 600_000;
const maxCookies = 64;
const maxCodes = 16;
/** Longer ones are wrong without a look. */
const maxSecretLength = 512;

/** What a request shows, and where it came from. */
export interface Credentials {
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  /** The peer; all of loopback counts as one. */
  readonly peer: string;
}

/** What becomes of credentials. `anonymous`: none were shown. `guessed`: wrong ones; wait so long before the next. */
export type Verdict =
  | { readonly kind: "bearer" }
  | { readonly kind: "cookie" }
  | { readonly kind: "anonymous" }
  | { readonly kind: "guessed"; readonly retrySeconds: number };

/** Options of {@link AdminAuth}. */
export interface AdminAuthOptions {
  readonly token: string;
  /** The cookie's name; it has the port in it, because browsers share cookies between the ports of a host. */
  readonly cookieName: string;
  readonly guesses?: GuessLimits;
}

interface Grant {
  readonly expiresAtMs: number;
  readonly peer: string;
}

/** Knows the token and who is signed in. */
export class AdminAuth {
  readonly #token: Buffer;
  readonly #cookieName: string;
  readonly #limiter: GuessLimiter;
  /** By digest, the oldest first. */
  readonly #cookies: Map<string, Grant> = new Map();
  readonly #codes: Map<string, Grant> = new Map();

  constructor(options: AdminAuthOptions) {
    this.#token = digestOf(options.token);
    this.#cookieName = options.cookieName;
    this.#limiter = new GuessLimiter(options.guesses);
  }

  /** How many cookies are good now. */
  get signedIn(): number {
    return this.#cookies.size;
  }

  /** Judges what a request shows. A wrong token beside a good cookie is still a guess. */
  judge(shown: Credentials): Verdict {
    if (shown.authorization !== undefined) {
      const token = /^bearer +(\S+) *$/iu.exec(shown.authorization.slice(0, maxSecretLength + 16))?.[1];
      return token !== undefined && this.#isToken(token) ? { kind: "bearer" } : this.#guessed(shown.peer);
    }
    const cookie = this.#cookieIn(shown.cookie);
    if (cookie === undefined) return { kind: "anonymous" };
    const grant = find(this.#cookies, cookie);
    // A cookie of an earlier process is no attack; it is asked to sign in again.
    return grant?.peer === shown.peer ? { kind: "cookie" } : { kind: "anonymous" };
  }

  /** Trades the token or a one-time code for a Set-Cookie value. Wrong ones count as guesses. */
  signIn(secret: string, peer: string): { readonly setCookie: string } | Extract<Verdict, { kind: "guessed" }> {
    if (!this.#isToken(secret) && !this.#isCode(secret)) return this.#guessed(peer);
    const cookie = randomBytes(32).toString("base64url");
    add(this.#cookies, { secret: cookie, grant: { expiresAtMs: performance.now() + cookieMs, peer }, max: maxCookies });
    return { setCookie: this.#setCookie(cookie, cookieMs / 1000) };
  }

  /** Ends the sign-in that a Cookie field shows. Answers the Set-Cookie value that removes it from the browser. */
  signOut(cookieField: string | undefined): string {
    const cookie = this.#cookieIn(cookieField);
    if (cookie !== undefined) this.#cookies.delete(keyOf(cookie));
    return this.#setCookie("", 0);
  }

  /** A code that signs in once, within ten minutes: for URLs that are printed on a terminal. */
  issueCode(): string {
    const code = randomBytes(24).toString("base64url");
    add(this.#codes, { secret: code, grant: { expiresAtMs: performance.now() + codeMs, peer: "" }, max: maxCodes });
    return code;
  }

  #isToken(candidate: string): boolean {
    return candidate.length <= maxSecretLength && timingSafeEqual(digestOf(candidate), this.#token);
  }

  #isCode(candidate: string): boolean {
    if (candidate.length > maxSecretLength) return false;
    const found = find(this.#codes, candidate) !== undefined;
    if (found) this.#codes.delete(keyOf(candidate));
    return found;
  }

  #guessed(peer: string): Extract<Verdict, { kind: "guessed" }> {
    return { kind: "guessed", retrySeconds: this.#limiter.wrong(peer) };
  }

  #cookieIn(field: string | undefined): string | undefined {
    for (const pair of (field ?? "").split(";")) {
      const [name, value = ""] = pair.trim().split("=", 2);
      if (name === this.#cookieName && value !== "" && value.length <= maxSecretLength) return value;
    }
    return undefined;
  }

  #setCookie(value: string, maxAgeSeconds: number): string {
    return `${this.#cookieName}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict`;
  }
}

function digestOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** Grants are found by digest, so that how long a look-up takes tells nothing of the secret. */
function keyOf(secret: string): string {
  return digestOf(secret).toString("base64url");
}

function find(grants: Map<string, Grant>, secret: string): Grant | undefined {
  const key = keyOf(secret);
  const grant = grants.get(key);
  if (grant === undefined || grant.expiresAtMs > performance.now()) return grant;
  grants.delete(key);
  return undefined;
}

function add(
  grants: Map<string, Grant>,
  added: { readonly secret: string; readonly grant: Grant; readonly max: number },
): void {
  grants.set(keyOf(added.secret), added.grant);
  for (const key of grants.keys()) {
    if (grants.size <= added.max) return;
    grants.delete(key);
  }
}
