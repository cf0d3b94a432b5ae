// The process of a long line: `node relay-worker.js PORT ROUND_TRIP_MS BYTES_PER_SECOND`, where a rate of 0 is none. It says
// where it listens, and runs until it is ended.

import { LongLine } from "./long-line.ts";

const [port = 0, roundTripMs = 0, bytesPerSecond = 0] = process.argv.slice(2).map(Number);
const line = await LongLine.start({ port, roundTripMs, ...(bytesPerSecond > 0 && { bytesPerSecond }) });
process.stdout.write(`listening on ${line.port}\n`);
