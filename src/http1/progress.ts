// How far a piece of input carried a reader. Small integers, because they are answered for every chunk of bytes.

/** Answer of a head reader. */
export const HeadProgress = {
  /** Everything was consumed and the head goes on. */
  More: 0,
  /** `head` is filled; `next` is where the rest of the chunk begins. */
  Complete: 1,
  /** `rejection` says why. The connection cannot be read any further. */
  Rejected: 2,
} as const;
/** One of the values of {@link HeadProgress}. */
export type HeadProgress = (typeof HeadProgress)[keyof typeof HeadProgress];

/** Answer of a chunked decoder, with the same values and meaning as {@link HeadProgress}. */
export const ChunkProgress: typeof HeadProgress = HeadProgress;
/** One of the values of {@link ChunkProgress}. */
export type ChunkProgress = HeadProgress;
