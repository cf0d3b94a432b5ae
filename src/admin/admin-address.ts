// Where the private listener listens: a TCP address, or a unix socket that only its owner may open.

import { chmod, lstat, unlink } from "node:fs/promises";
import type { Server } from "node:http";
import { connect } from "node:net";
import { CaissonError, messageOf, systemCodeOf } from "../lifecycle/errors.ts";

/** An address to listen on. */
export type AdminAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * Starts to listen; answers the address with the port that the system gave. Throws E_LISTEN. A socket file that nobody
 * listens on any more is replaced; one that is in use, or no socket, is not.
 */
export async function listenPrivately(server: Server, address: AdminAddress): Promise<AdminAddress> {
  try {
    if (!("path" in address)) return await listenOnPort(server, address);
    await removeStale(address.path);
    await listenOnSocket(server, address.path);
    return address;
  } catch (error) {
    throw listenError(error, address);
  }
}

async function listenOnPort(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<AdminAddress> {
  await listening(server, () => server.listen({ host, port, backlog: 128 }));
  const bound = server.address();
  return { host, port: typeof bound === "object" && bound !== null ? bound.port : port };
}

async function listenOnSocket(server: Server, path: string): Promise<void> {
  await listening(server, () => {
    // The file is made during this call: with the mask set it is never open to others, not even for a moment.
    const mask = process.umask(0o177);
    try {
      server.listen({ path });
    } finally {
      process.umask(mask);
    }
  });
  await chmod(path, 0o600);
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const onListening = (): void => {
      server.off("error", onError);
      resolve();
    };
    const onError = (error: Error): void => {
      server.off("listening", onListening);
      reject(error);
    };
    server.once("listening", onListening).once("error", onError);
    listen();
  });
}

/** Removes what a process that died has left behind. */
async function removeStale(path: string): Promise<void> {
  const status = await lstat(path).catch(absent);
  if (!status?.isSocket() || (await isInUse(path))) return;
  await unlink(path).catch(absent);
}

function isInUse(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => resolve(systemCodeOf(error) !== "ECONNREFUSED"));
  });
}

/** Answers undefined for what is not there; everything else is thrown again. */
function absent(error: unknown): undefined {
  if (systemCodeOf(error) !== "ENOENT") throw error;
}

function listenError(error: unknown, address: AdminAddress): CaissonError {
  const where = "path" in address ? address.path : `${address.host}:${address.port}`;
  const advice =
    systemCodeOf(error) === "EADDRINUSE"
      ? "another process listens there; choose another address with --admin, or --admin off"
      : messageOf(error);
  return new CaissonError("E_LISTEN", `cannot listen on ${where} for the private listener: ${advice}`, {
    cause: error,
  });
}
