// Secrets that tests plant, in the forms and places in which secrets reach logs and reports, to look for them afterwards.

import { createHash } from "node:crypto";

/** One planted secret. */
export interface Canary {
  /** The text that must not be found anywhere. */
  readonly secret: string;
  /** A sentence, line or document that holds it. */
  readonly text: string;
  /** The same as structured data. */
  readonly value: unknown;
}

function bytesOf(seed: number): Buffer {
  return createHash("sha256").update(`canary ${seed}`).digest();
}

type Form = (seed: number) => Canary;

function field(name: string, secret: string): Canary {
  return { secret, text: `{"${name}":"${secret}","next":1}`, value: { request: { [name]: secret, next: 1 } } };
}

/** Each makes a canary of one kind; the weak ones are only known by the name that stands before them. */
const forms: readonly Form[] = [
  (seed) => {
    const secret = `csn_${bytesOf(seed).toString("base64url")}`;
    return { secret, text: `token ${secret} refused`, value: [secret, "x"] };
  },
  (seed) => {
    const secret = bytesOf(seed).toString("base64url");
    return {
      secret,
      text: `GET / HTTP/1.1\r\nAuthorization: Bearer ${secret}\r\nHost: x\r\n\r\n`,
      value: { headers: { authorization: `Bearer ${secret}` } },
    };
  },
  (seed) => {
    const secret = bytesOf(seed).toString("base64").slice(0, 20);
    return {
      secret,
      text: `authorization: Basic ${secret}==`,
      value: { rawHeaders: ["Host", "x", "Authorization", `Basic ${secret}`] },
    };
  },
  (seed) => {
    const secret = `weak${seed}weak`;
    return {
      secret,
      text: `Cookie: session=${secret}; theme=dark`,
      value: { headers: { Cookie: `session=${secret}` } },
    };
  },
  (seed) => {
    const secret = `sid-${bytesOf(seed).toString("hex").slice(0, 12)}`;
    return { secret, text: `Set-Cookie: id=${secret}; HttpOnly`, value: { "set-cookie": [`id=${secret}; HttpOnly`] } };
  },
  (seed) => field("password", `correct horse ${seed}`),
  (seed) => field("client_secret", `s${seed}-${bytesOf(seed).toString("hex").slice(0, 8)}`),
  (seed) => field("x-api-key", bytesOf(seed).toString("hex").slice(0, 24)),
  (seed) => field("resumeKey", bytesOf(seed).toString("base64url").slice(0, 22)),
  (seed) => {
    const secret = `p${seed}w-${bytesOf(seed).toString("hex").slice(0, 6)}`;
    return {
      secret,
      text: `connect to https://admin:${secret}@db.example.com/x failed`,
      value: { target: `http://u:${secret}@localhost:8000` },
    };
  },
  (seed) => {
    const secret = bytesOf(seed).toString("hex").slice(0, 10);
    return { secret, text: `GET /login?access_token=${secret}&x=1 404`, value: { url: `/a?code=${secret}` } };
  },
  (seed) => {
    const secret = bytesOf(seed).toString("base64");
    return {
      secret,
      text: `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`,
      value: { pem: `-----BEGIN EC PRIVATE KEY-----\n${secret}` },
    };
  },
  (seed) => {
    const secret = bytesOf(seed).toString("hex");
    return { secret, text: `key material ${secret} loaded`, value: { note: `using ${secret}` } };
  },
  (seed) => {
    const secret = bytesOf(seed).toString("base64url").slice(0, 14);
    const jwt = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(`{"sub":"${secret}"}`).toString("base64url")}.${secret}`;
    return { secret: jwt, text: `got ${jwt} from peer`, value: { note: jwt } };
  },
  (seed) => {
    const secret = `ghp_${bytesOf(seed).toString("hex").slice(0, 36)}`;
    return { secret, text: `env GITHUB=${secret}`, value: { argv: ["--x", secret] } };
  },
  (seed) => {
    const secret = `env${seed}value`;
    return { secret, text: `CAISSON_TOKEN=${secret} caisson http 8000`, value: { env: { CAISSON_TOKEN: secret } } };
  },
];

/** `count` canaries of all forms in turn; the same for the same count. */
export function canaries(count: number): Canary[] {
  return Array.from({ length: count }, (_, seed) => forms[seed % forms.length]?.(seed)).filter(
    (canary) => canary !== undefined,
  );
}
