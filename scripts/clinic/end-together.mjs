// What a script has started ends with it when it is told to end: a group of its own hears of no signal, and a child of none that
// is sent to its parent alone. Used by with-clinic.mjs and with-node.mjs.

const signals = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Calls `end` if this process is told to end, which it then does. Call what it answers as soon as there is nothing to end. */
export function endTogether(end) {
  const onSignal = (signal) => {
    forget();
    end();
    process.kill(process.pid, signal);
  };
  const forget = () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return forget;
}
