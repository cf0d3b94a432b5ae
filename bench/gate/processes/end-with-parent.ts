// Loaded into every process of a gate run: ends it when the process that started it is gone. It keeps nothing alive.

function onDisconnect(): void {
  // Its parent cannot ask for anything any more, and nobody else would end it.
  process.exit(1);
}

process.once("disconnect", onDisconnect);
// It may have gone while this process was still starting: the event came before anybody listened.
if (!process.connected) onDisconnect();
// A listener makes Node hold the channel open; the process must still be able to end by itself.
process.channel?.unref();
