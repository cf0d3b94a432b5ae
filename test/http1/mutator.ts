// Valid and nasty messages, and seeded ways to spoil them: the same seed always makes the same bytes.

/** A small generator of pseudo-random numbers (xorshift32). Not for secrets. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // A state of zero would stay zero.
    this.#state = (seed ^ 0x9e3779b9) >>> 0 || 1;
    for (let round = 0; round < 8; round++) this.below(2);
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state % limit;
  }

  /** One of `choices`, which are not empty. */
  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new RangeError("nothing to pick from");
    return choice;
  }
}

const chunkedBody = "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n";

/** Requests that stand alone. */
export const requestCorpus: readonly string[] = [
  "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
  "GET /a/b?c=d%20e HTTP/1.1\r\nHost: a.example:8080\r\nAccept: */*\r\nUser-Agent: x/1 (y; z)\r\nCookie: a=b; c=d\r\n\r\n",
  "HEAD /x HTTP/1.1\r\nhost: a\r\nX-Empty:\r\nX-Blank: \t \r\nX-Latin: \xe9\xff\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET http://b.example/x HTTP/1.1\r\nHost: b.example\r\n\r\n",
  "GET / HTTP/1.0\r\n\r\n",
  "GET / HTTP/1.0\r\nConnection: keep-alive\r\nHost: a\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
  "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
  `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedBody}`,
  "PUT /u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Two: 2 \r\n\r\n",
  `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n00A\r\n0123456789\r\n0\r\n\r\n`,
  "PATCH /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody",
  "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-one, close\r\nX-One: 1\r\n\r\n",
  "DELETE /d HTTP/1.1\r\nHost: [::1]:80\r\nTE: trailers\r\nConnection: TE\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
  "GET / HTTP/1.1\nHost: a\n\n",
  "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n",
  "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
];

/** Responses to one request; some are several heads. */
export const responseCorpus: readonly string[] = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 18:40:00 GMT\r\nServer: x\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedBody}`,
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n",
  "HTTP/1.1 200 OK\r\n\r\nuntil the end",
  "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
  "HTTP/1.0 404 Not Found\r\n\r\nnothing",
  "HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n",
  'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 10\r\n\r\n',
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n1",
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nraw bytes",
  "HTTP/1.1 500 \r\nConnection: close\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\noops",
  "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n1",
  "HTTP/1.1 200 \xe9\xff\tx\r\nX-Latin: \xff\r\nX-Empty:\r\nContent-Length: 3\r\n\r\nabc",
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.1 200 OK\nContent-Length: 1\n\n1",
  "HTTP/1.1 200 OK\r\nX: 1\r\n folded\r\nContent-Length: 0\r\n\r\n",
];

const fragments: readonly string[] = [
  "\r\n",
  "\r\n\r\n",
  "\n",
  "\r",
  "\r\n ",
  " ",
  "\t",
  "\0",
  "\x0b",
  "\x0c",
  "\x7f",
  "\x80",
  "\xa0",
  ":",
  ": ",
  " :",
  ",",
  ";",
  "0",
  "00",
  "1",
  "+",
  "-",
  "_",
  "0x",
  "f",
  "#",
  "/",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/1.2",
  "chunked",
  "Chunked, ",
  "identity",
  "close",
  "keep-alive",
  "upgrade",
  "Content-Length: 5\r\n",
  "content-length:0\r\n",
  "Content-Length: 1000\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding : chunked\r\n",
  "Transfer_Encoding: chunked\r\n",
  "transfer-encoding:\tchunked \r\n",
  "TE: chunked\r\n",
  "Host: b\r\n",
  "Connection: close\r\n",
  "Connection: keep-alive\r\n",
  "Connection: upgrade\r\nUpgrade: websocket\r\n",
  "Proxy-Connection: close\r\n",
  "Expect: 100-continue\r\n",
  "X: 1\r\n",
  "0\r\n\r\n",
  "5\r\nhello\r\n",
  '5;x="y"\r\nhello\r\n',
  "GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
];

/** A conversation: one or several messages of the corpus, mostly spoiled in up to four places. Latin1. */
export function mutated(random: Random, corpus: readonly string[]): string {
  let text = random.pick(corpus);
  for (let more = random.below(4); more === 0; more = random.below(3)) text += random.pick(corpus);
  for (let changes = random.below(5); changes > 0; changes--) text = changed(random, text, corpus);
  return text;
}

function changed(random: Random, text: string, corpus: readonly string[]): string {
  const at = random.below(text.length + 1);
  const length = 1 + random.below(random.pick([1, 4, 20]));
  const before = text.slice(0, at);
  const after = text.slice(at);
  switch (random.below(9)) {
    case 0:
      return before + random.pick(fragments) + after;
    case 1:
      return before + random.pick(fragments) + after.slice(length);
    case 2:
      return before + after.slice(length);
    case 3:
      return before + String.fromCodePoint(random.below(256)) + after.slice(random.below(2));
    case 4:
      return before + after.slice(0, length) + after;
    case 5:
      return before + text.slice(random.below(text.length + 1)).slice(0, length) + after;
    case 6:
      return before + swapCase(after.slice(0, length)) + after.slice(length);
    case 7: {
      // At the start of a line, where fields live.
      const line = text.indexOf("\r\n", at);
      return line < 0 ? text : text.slice(0, line + 2) + random.pick(fragments) + text.slice(line + 2);
    }
    default: {
      const other = random.pick(corpus);
      return before + other.slice(random.below(other.length));
    }
  }
}

function swapCase(text: string): string {
  return text.replace(/[a-zA-Z]/g, (letter) => (letter < "a" ? letter.toLowerCase() : letter.toUpperCase()));
}

/** Up to five places to cut `length` bytes at, or every place. */
export function randomCuts(random: Random, length: number): number[] {
  if (random.below(8) === 0) return Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1);
  const cuts = Array.from({ length: random.below(6) }, () => random.below(length + 1));
  return cuts.toSorted((a, b) => a - b);
}
