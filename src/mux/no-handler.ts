// The handler of streams whose owner is gone: it hears everything and refers to nothing.

import type { StreamHandler } from "./handlers.ts";

function ignore(): void {
  // The owner has let go of the stream; what still happens to it concerns nobody.
}

/** Shared by all closed streams, so that none keeps its former owner alive. */
export const noHandler: StreamHandler = Object.freeze({
  onHead: ignore,
  onData: ignore,
  onTrailers: ignore,
  onReset: ignore,
  onWritable: ignore,
  onOpened: ignore,
});
