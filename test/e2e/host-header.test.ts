// A target that insists on its own Host: its redirects and cookies work for visitors of the public URL all the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { onHeads, RawTarget } from "../support/raw-target.ts";
import { Rig } from "../support/rig.ts";
import { RawClient } from "../support/raw-client.ts";

const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** Answers every request with what its Host makes of the lines, and upgrades those that ask for it. */
function insisting(lines: (host: string) => string): ReturnType<typeof RawTarget.start> {
  return RawTarget.start(
    onHeads((head, socket) => {
      const host = /\r\nhost: (.*)\r\n/i.exec(head)?.[1] ?? "";
      const start = head.includes("Upgrade: websocket")
        ? `101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}`
        : "302 Found\r\nContent-Length: 0";
      socket.write(`HTTP/1.1 ${start}\r\n${lines(host)}\r\n\r\n`);
    }),
  );
}

test("redirects and cookies of a target whose Host is rewritten", async () => {
  await using target = await insisting(
    (host) => `Location: http://${host}/in\r\nSet-Cookie: a=1; Domain=${host.split(":")[0]}; Path=/\r\nSet-Cookie: b=2`,
  );
  await using rig = await Rig.start({ targetPort: target.port, connect: { hostHeader: "rewrite" } });
  const origin = `http://demo.localhost:${rig.port}`;
  const answer = await rig.fetch("/");
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.location, `${origin}/in`);
  assert.deepEqual(answer.headers["set-cookie"], ["a=1; Path=/", "b=2"]);

  const socket = await RawClient.connect(rig.port);
  socket.send(
    "GET / HTTP/1.1\r\nHost: demo.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await socket.receive("\r\n\r\n");
  assert.match(socket.text, /^HTTP\/1\.1 101 [^]*\r\nSet-Cookie: a=1; Path=\/\r\n/);
  socket.close();
  await rig.quiet();
});

test("behind a proxy they lead to the URL that visitors know", async () => {
  await using target = await insisting((host) => `Location: http://${host}/`);
  await using rig = await Rig.start({
    targetPort: target.port,
    serve: { listen: "127.0.0.1:0", publicUrl: "https://{name}.example.com" },
    connect: { hostHeader: "app.test" },
  });
  const { headers } = await rig.fetch("/");
  assert.equal(headers.location, "https://demo.example.com/");
});

test("without rewriting the target's answer is its own", async () => {
  const lines = "Location: http://localhost/\r\nSet-Cookie: a=1; Domain=localhost";
  await using target = await insisting(() => lines);
  await using rig = await Rig.start({ targetPort: target.port });
  const { headers } = await rig.fetch("/");
  assert.equal(headers.location, "http://localhost/");
  assert.deepEqual(headers["set-cookie"], ["a=1; Domain=localhost"]);
});
