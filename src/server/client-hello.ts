// The first message of a TLS visitor, read without answering it: which name it asks for. Strict about what is looked at
// (RFC 8446 section 4, RFC 6066 section 3), bounded, and pure: bytes that were read are kept for whoever comes next.

/** The most bytes that a ClientHello may take with its record headers. */
export const maxClientHelloBytes: number = 16 * 1024;

const recordHeaderBytes = 5;
const messageHeaderBytes = 4;
const maxRecordBytes = 16 * 1024;
/** No sender has a reason for more, and each costs more to take apart than to send. */
const maxRecords = 32;
const handshakeRecord = 22;
const clientHelloMessage = 1;
const serverNameExtension = 0;
const hostNameType = 0;

/** Why bytes are no acceptable ClientHello. */
export type ClientHelloProblem = "not_tls" | "hello_too_large" | "bad_client_hello";

/** What is known so far. */
export type ClientHelloProgress =
  | { readonly state: "more" }
  | { readonly state: "refused"; readonly problem: ClientHelloProblem }
  /** `serverName` lower-case, without a trailing dot; undefined if none was asked for. */
  | { readonly state: "complete"; readonly serverName: string | undefined };

const more: ClientHelloProgress = { state: "more" };
const notTls: ClientHelloProgress = { state: "refused", problem: "not_tls" };
const tooLarge: ClientHelloProgress = { state: "refused", problem: "hello_too_large" };
const malformed: ClientHelloProgress = { state: "refused", problem: "bad_client_hello" };

/** Reads all bytes that have come so far. Cheap while they are too few: record headers only, until the message is whole. */
export function readClientHello(bytes: Buffer): ClientHelloProgress {
  const records: Buffer[] = [];
  let gathered = 0;
  let wanted = messageHeaderBytes;
  for (let at = 0; gathered < wanted;) {
    const problem = recordProblem(bytes, at);
    if (problem) return problem;
    if (bytes.length < at + recordHeaderBytes) return moreWithin(bytes);
    const start = at + recordHeaderBytes;
    const end = start + bytes.readUInt16BE(at + 3);
    records.push(bytes.subarray(start, end));
    if (records.length > maxRecords) return malformed;
    gathered += Math.min(end, bytes.length) - start;
    if (wanted === messageHeaderBytes && gathered >= messageHeaderBytes) {
      const first = records.length === 1 && records[0] ? records[0] : Buffer.concat(records);
      if (first[0] !== clientHelloMessage) return malformed;
      wanted = messageHeaderBytes + first.readUIntBE(1, 3);
      if (wanted > maxClientHelloBytes) return tooLarge;
    }
    if (gathered < wanted && bytes.length < end) return moreWithin(bytes);
    at = end;
  }
  const message = records.length === 1 && records[0] ? records[0] : Buffer.concat(records);
  return readMessage(message.subarray(messageHeaderBytes, wanted));
}

/** What is wrong with the record header at `at`, as far as its bytes are there. */
function recordProblem(bytes: Buffer, at: number): ClientHelloProgress | undefined {
  const type = bytes[at];
  const major = bytes[at + 1];
  const minor = bytes[at + 2];
  if (type !== undefined && type !== handshakeRecord) return at === 0 ? notTls : malformed;
  if (major !== undefined && major !== 3) return at === 0 ? notTls : malformed;
  if (minor !== undefined && minor > 4) return malformed;
  if (bytes.length < at + recordHeaderBytes) return undefined;
  const length = bytes.readUInt16BE(at + 3);
  return length === 0 || length > maxRecordBytes ? malformed : undefined;
}

function moreWithin(bytes: Buffer): ClientHelloProgress {
  return bytes.length >= maxClientHelloBytes ? tooLarge : more;
}

/** Walks a structure of length-prefixed parts; every step answers undefined when it leaves the bounds. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  number(size: 1 | 2): number | undefined {
    if (this.left < size) return undefined;
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  take(length: number): Buffer | undefined {
    if (this.left < length) return undefined;
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return part;
  }

  /** A part behind its own length. */
  vector(size: 1 | 2): Buffer | undefined {
    const length = this.number(size);
    return length === undefined ? undefined : this.take(length);
  }
}

function readMessage(body: Buffer): ClientHelloProgress {
  const cursor = new Cursor(body);
  const version = cursor.number(2);
  const random = cursor.take(32);
  const sessionId = cursor.vector(1);
  const suites = cursor.vector(2);
  const compressions = cursor.vector(1);
  if (version === undefined || version >> 8 !== 3 || !random || !sessionId || !suites || !compressions)
    return malformed;
  if (sessionId.length > 32 || suites.length < 2 || suites.length % 2 !== 0 || compressions.length === 0)
    return malformed;
  if (cursor.left === 0) return { state: "complete", serverName: undefined };
  const extensions = cursor.vector(2);
  return !extensions || cursor.left > 0 ? malformed : readExtensions(extensions);
}

function readExtensions(bytes: Buffer): ClientHelloProgress {
  const cursor = new Cursor(bytes);
  let serverName: string | undefined;
  let seen = false;
  while (cursor.left > 0) {
    const type = cursor.number(2);
    const data = cursor.vector(2);
    if (type === undefined || !data) return malformed;
    if (type !== serverNameExtension) continue;
    serverName = seen ? undefined : readServerName(data);
    if (serverName === undefined) return malformed;
    seen = true;
  }
  return { state: "complete", serverName };
}

/** The one host name of the extension; undefined for anything else. */
function readServerName(data: Buffer): string | undefined {
  const outer = new Cursor(data);
  const list = outer.vector(2);
  if (!list || outer.left > 0) return undefined;
  const inner = new Cursor(list);
  const type = inner.number(1);
  const name = inner.vector(2);
  if (type !== hostNameType || !name || inner.left > 0) return undefined;
  const text = name.toString("latin1").toLowerCase().replace(/\.$/u, "");
  return text.length <= 253 && /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/u.test(text) ? text : undefined;
}
