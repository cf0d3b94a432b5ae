// Loaded into a process before anything else (node --import): its event loop stands still for most of each half second,
// without using a processor.

const cell = new Int32Array(new SharedArrayBuffer(4));
setInterval(() => void Atomics.wait(cell, 0, 0, 350), 500).unref();
