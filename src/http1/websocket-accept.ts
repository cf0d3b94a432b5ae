// The answer to a Sec-WebSocket-Key, by which the pipe after a 101 is trusted. Never looks at anything but the key.

import { createHash } from "node:crypto";

const websocketGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The only right `Sec-WebSocket-Accept` for `key`, the trimmed value of `Sec-WebSocket-Key` (RFC 6455 section 4.2.2). */
export function acceptFor(key: string): string {
  return createHash("sha1")
    .update(key + websocketGuid, "latin1")
    .digest("base64");
}
