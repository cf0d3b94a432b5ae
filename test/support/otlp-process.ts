// The process behind an OtlpReceiver: a collector that takes spans over HTTP, or does what bad collectors do. Ends with its parent.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { spansOf } from "./otlp-spans.ts";

const [manner = "good"] = process.argv.slice(2);

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("error", () => undefined);
  request.on("data", (chunk: Buffer) => void chunks.push(chunk));
  request.on("end", () => {
    const encoding = request.headers["content-type"] === "application/json" ? "json" : "protobuf";
    const spans = request.url === "/v1/traces" ? spansOf(Buffer.concat(chunks), encoding) : [];
    process.send?.({ encoding, spans });
    if (manner === "silent") return;
    const answer = (): void => void response.writeHead(manner === "failing" ? 400 : 200).end();
    if (manner === "slow") setTimeout(answer, 1_500);
    else answer();
  });
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.once("disconnect", () => process.exit(0));
