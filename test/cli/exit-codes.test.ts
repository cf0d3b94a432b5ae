// Exit codes and JSON events of real processes, as contract for scripts.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { exitCodeFor, forcedExitCode } from "../../src/cli/exit-codes.ts";
import type { ErrorCode } from "../../src/lifecycle/errors.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { caissonMain, runCaisson, startCaisson } from "../support/run.ts";

const codes: readonly [code: ErrorCode, exit: number][] = [
  ["E_USAGE", 2],
  ["E_CONFIG", 3],
  ["E_AUTH", 4],
  ["E_CONNECT", 5],
  ["E_NAME_TAKEN", 6],
  ["E_REPLACED", 6],
  ["E_CLOSED", 1],
  ["E_REFUSED", 1],
  ["E_PROTOCOL", 1],
  ["E_LISTEN", 1],
  ["E_ABORTED", 1],
  ["E_INTERNAL", 1],
];

test("every error has its exit code", () => {
  for (const [code, exit] of codes) assert.equal(exitCodeFor(new CaissonError(code, "x")), exit, code);
  assert.equal(exitCodeFor(new Error("x")), 1);
  assert.equal(forcedExitCode("SIGINT"), 130);
  assert.equal(forcedExitCode("SIGTERM"), 143);
});

const failures: readonly [args: string, exit: number, code: string, message: RegExp][] = [
  ["sevre --json", 2, "E_USAGE", /Did you mean serve/],
  ["http --json", 2, "E_USAGE", /target/],
  ["http localhost --json", 2, "E_USAGE", /port/],
  ["http 99999 --json", 2, "E_USAGE", /port/],
  ["http 8000 --json --server nowhere", 2, "E_USAGE", /nowhere/],
  ["http 8000 --json --token-file /nonexistent/token", 3, "E_CONFIG", /--token-file/],
  ["http 8000 --json --ca /nonexistent/ca.pem", 3, "E_CONFIG", /--ca/],
  ["serve --json --listen nowhere", 2, "E_USAGE", /HOST:PORT/],
  ["serve --json --listen 0.0.0.0:0", 3, "E_CONFIG", /--open/],
  ["serve --json --listen 127.0.0.1:0 --domain not_a.domain!", 3, "E_CONFIG", /domain/],
  ["serve --json --listen 127.0.0.1:0 --trusted-proxies 10.0.0.0/99", 3, "E_CONFIG", /10\.0\.0\.0\/99/],
];

test("failures exit with their code, one line on stderr and an error event", async () => {
  for (const [args, exit, code, message] of failures) {
    const { code: exited, stdout, stderr } = await runCaisson(args.split(" "));
    assert.equal(exited, exit, args);
    assert.match(stderr, /^caisson: [^\n]+\n$/u, args);
    assert.match(stderr, message, args);
    const event: unknown = JSON.parse(stdout);
    assert.ok(typeof event === "object" && event !== null && "message" in event, args);
    assert.deepEqual(event, { event: "error", code, message: event.message });
  }
});

test("without --json stdout stays empty when a command fails", async () => {
  const { code, stdout } = await runCaisson(["http", "99999"]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
});

test("help and version exit with 0 and print to stdout", async () => {
  for (const args of [["--help"], ["serve", "--help"], ["--version"]]) {
    const { code, stdout, stderr } = await runCaisson(args);
    assert.equal(code, 0);
    assert.notEqual(stdout, "");
    assert.equal(stderr, "");
  }
});

test("a port that is taken is a runtime error", async () => {
  await using first = startCaisson(["serve", "--json", "--listen", "127.0.0.1:0"]);
  const { port } = new URL(String((await first.event("listening"))["url"]));
  const { code, stderr } = await runCaisson(["serve", "--listen", `127.0.0.1:${port}`]);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(port));
});

test("a first connect that keeps failing exits with 5", async () => {
  const holder = createServer();
  holder.listen(0, "127.0.0.1");
  await once(holder, "listening");
  const address = holder.address();
  assert.ok(typeof address === "object" && address !== null);
  // Closed again: nobody listens there now.
  holder.close();
  await once(holder, "close");
  const server = `ws://127.0.0.1:${address.port}`;
  await using client = startCaisson(["8000", "--json", "--server", server, "--first-connect-timeout", "300ms"]);
  const error = await client.event("error");
  assert.equal(error["code"], "E_CONNECT");
  assert.deepEqual(await client.exit(), { code: 5, signal: null });
  assert.match(client.stderr, /trying again/);
});

test("a signal while the first connect is still tried ends with 0", async () => {
  const silent = createServer();
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  assert.ok(typeof address === "object" && address !== null);
  await using client = startCaisson(["8000", "--json", "--server", `ws://127.0.0.1:${address.port}`]);
  const [socket]: unknown[] = await once(silent, "connection");
  assert.ok(socket);
  assert.deepEqual(await client.stop("SIGTERM"), { code: 0, signal: null });
  silent.close();
});

test("a name that another client holds exits with 6", async () => {
  await using server = startCaisson(["serve", "--json", "--listen", "127.0.0.1:0"]);
  const url = String((await server.event("listening"))["url"]).replace("http", "ws");
  await using first = startCaisson(["8000", "--json", "--server", url, "--name", "shop"]);
  await first.event("tunnel");
  await using second = startCaisson(["8000", "--json", "--server", url, "--name", "shop"]);
  assert.equal((await second.event("error"))["code"], "E_NAME_TAKEN");
  assert.equal((await second.exit()).code, 6);
});

test("a state directory that cannot be used is a warning, not an end", async () => {
  // A file in the place of a directory.
  const options = { env: { XDG_STATE_HOME: caissonMain } };
  await using server = startCaisson(["serve", "--json", "--listen", "127.0.0.1:0"], options);
  await server.event("listening");
  await server.complaint(/"level":"warn".*random names will not survive/);
  await server.complaint(/"level":"warn".*nobody can sign in to the private listener/);
});
