// After a heap snapshot, V8 of Node 20 and 22 goes on tracking allocations and is 10 to 15 times slower at them, until a
// HeapProfiler is switched on and off. It never takes a snapshot through the inspector: that can crash Node (#44634).

/** Ends the tracking. Does nothing in a Node that was built without inspector. */
export async function cureAllocation(): Promise<void> {
  if (!process.features.inspector) return;
  const { Session } = await import("node:inspector");
  const session = new Session();
  session.connect();
  try {
    session.post("HeapProfiler.enable");
    session.post("HeapProfiler.disable");
  } finally {
    session.disconnect();
  }
}
