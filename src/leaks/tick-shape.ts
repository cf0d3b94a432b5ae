// V8 learns once what the objects of process.nextTick look like. A collection that frees all it can, as those of a snapshot
// do, forgets it while no such object is alive, and it is never learned again: each call then takes the slow way for the
// rest of the process's life, which is about 5 % of a request. One object that waits in the queue is enough against that.

function doNothing(): void {}

/** Keeps one object of process.nextTick alive until the current turn of JavaScript ends. Call it right before the collections. */
export function holdTickShape(): void {
  process.nextTick(doNothing);
}
