import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommandLine } from "../../src/cli/command-line.ts";
import type { Invocation } from "../../src/cli/invocation.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";

function parse(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Invocation> {
  return parseCommandLine({ argv, env, version: "9.9.9", write: () => undefined });
}

async function http(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Invocation & { command: "http" }> {
  const invocation = await parse(argv, env);
  assert.equal(invocation.command, "http");
  return invocation;
}

async function serve(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Invocation & { command: "serve" }> {
  const invocation = await parse(["serve", ...argv], env);
  assert.equal(invocation.command, "serve");
  return invocation;
}

const targets: readonly (readonly string[])[] = [
  ["8000"],
  ["http", "8000"],
  ["127.0.0.1:8000"],
  ["localhost:8000"],
  ["[::1]:8000"],
  ["http://localhost:8000"],
  ["https://localhost:8443"],
  ["--name", "demo", "8000"],
  ["--name=demo", "8000"],
  ["--json", "8000", "--server", "ws://127.0.0.1:1"],
  ["8000", "--response-timeout", "3"],
  ["--", "8000"],
];

test("a target without a command means http", async () => {
  for (const argv of targets) {
    const { target } = await http(argv);
    assert.ok(argv.includes(target), argv.join(" "));
  }
});

test("options of http reach the invocation", async () => {
  const line =
    "8000 --server ws://a:1 --server wss://b,wss://c --name shop --token-file t --plaintext --ca ca.pem --target-ca t.pem " +
    "--target-insecure --host-header rewrite --mask random --response-timeout 500ms --max-streams 7 --json " +
    "--admin unix:/tmp/a.sock --admin-token-file tok --admin-host a.test --admin-host b.test --snapshots snaps --watch-one-in 5 --otel --otel-queries";
  assert.deepEqual(await parse(line.split(" ")), {
    command: "http",
    type: "http",
    port: undefined,
    target: "8000",
    servers: ["ws://a:1", "wss://b", "wss://c"],
    name: "shop",
    tokenFile: "t",
    plaintext: true,
    caFile: "ca.pem",
    targetCaFile: "t.pem",
    targetInsecure: true,
    hostHeader: "rewrite",
    mask: "random",
    json: true,
    admin: {
      listen: "unix:/tmp/a.sock",
      tokenFile: "tok",
      hosts: ["a.test", "b.test"],
      snapshotFolder: "snaps",
      watchOneIn: 5,
    },
    otel: { asked: true, queries: "recorded" },
    limits: { responseHeadMs: 500, maxStreams: 7 },
  });
});

test("options of serve reach the invocation", async () => {
  const line =
    "serve --listen [::1]:0 --domain t.test --public-url https://{name}.t.test --catch-all app --open --drain 2m --drain-delay 3 --ready-delay 4 " +
    "--tokens tokens.json --trusted-proxies 10.0.0.0/8,::1 --trusted-proxies 127.0.0.1 --log-format json --log-level debug --admin off --dead-after 3 --name-hold 0 --max-body 64KiB";
  assert.deepEqual(await parse(line.split(" ")), {
    command: "serve",
    listen: "[::1]:0",
    domain: "t.test",
    publicUrl: "https://{name}.t.test",
    catchAll: "app",
    open: true,
    tokens: "tokens.json",
    trustedProxies: ["10.0.0.0/8", "::1", "127.0.0.1"],
    listenTls: undefined,
    listenClients: undefined,
    tls: [],
    redirectHttps: false,
    proxyProtocol: false,
    tcpPorts: undefined,
    drainMs: 120_000,
    drainDelayMs: 3000,
    readyDelayMs: 4000,
    json: true,
    logLevel: "debug",
    admin: { listen: "off", tokenFile: undefined, hosts: [], snapshotFolder: undefined, watchOneIn: undefined },
    otel: { asked: false, queries: "redacted" },
    limits: { deadAfterMs: 3000, nameHoldMs: 0, maxBodyBytes: 65_536 },
  });
});

test("what was not given is left to the library", async () => {
  assert.deepEqual((await serve([])).limits, {});
  assert.equal((await serve([])).listen, undefined);
  assert.deepEqual((await http(["8000"])).servers, []);
  const otel = { asked: false, queries: "redacted" };
  assert.deepEqual(await parse(["demo"]), { command: "demo", listen: undefined, name: "demo", otel, json: false });
});

const mistakes: readonly [argv: string, message: RegExp][] = [
  ["", /caisson 8000, caisson serve or caisson demo/],
  ["sevre", /unknown command 'sevre'. Did you mean serve\?/],
  ["htp 8000", /unknown command 'htp'. Did you mean http\?/],
  ["http 8000 --nam x", /unknown option '--nam'. Did you mean --name\?/],
  ["http", /missing required argument 'target'. See caisson http --help/],
  ["http 8000 9000", /too many arguments/],
  ["serve --deadafter 3", /Did you mean --dead-after\?/],
  ["serve --dead-after soon", /--dead-after .* Write seconds, or 500ms/],
  ["serve --dead-after 1ms", /The least is 300 ms/],
  ["serve --max-streams 1.5", /Write a whole number/],
  ["serve --max-streams 0", /The least is 1/],
  ["serve --max-body 1MB", /Write bytes, or 64KiB/],
  ["serve --log-level loud", /Allowed choices are trace, debug/],
  ["serve --watch-one-in 0", /at least 1/],
  ["serve --log-format xml", /Allowed choices are pretty, json/],
  ["serve --catch-all Not_A_Name", /A name has 1 to 63/],
  ["8000 --name -edge", /A name has|argument missing/],
  ["8000 --name xn--caisson", /no xn--/],
  ["8000 --mask loud", /Allowed choices are zero, random/],
  ["serve --trusted-proxies 10.0.0.0/8,,::1", /several with commas/],
];

test("mistakes are usage errors of one line that say what to do", async () => {
  for (const [argv, message] of mistakes) {
    const words = argv.split(" ").filter((word) => word !== "");
    await assert.rejects(
      () => parse(words),
      (error: unknown) => {
        assert.ok(error instanceof CaissonError, argv);
        assert.equal(error.code, "E_USAGE", argv);
        assert.match(error.message, message, argv);
        assert.ok(!error.message.includes("\n"), argv);
        return true;
      },
    );
  }
});

test("commands of later releases are unknown, not half there", async () => {
  for (const word of ["heap"]) {
    await assert.rejects(() => parse([word]), /unknown command/);
  }
});

test("the environment stands in for flags, and flags win", async () => {
  const env = {
    CAISSON_NAME: "env",
    CAISSON_SERVER: "ws://a:1,ws://b:2",
    CAISSON_RESPONSE_TIMEOUT: "2",
    CAISSON_JSON: "1",
  };
  const fromEnv = await http(["8000"], env);
  assert.equal(fromEnv.name, "env");
  assert.deepEqual(fromEnv.servers, ["ws://a:1", "ws://b:2"]);
  assert.equal(fromEnv.json, true);
  assert.deepEqual(fromEnv.limits, { responseHeadMs: 2000 });
  const fromFlags = await http(["8000", "--name", "flag", "--server", "ws://c:3"], env);
  assert.equal(fromFlags.name, "flag");
  assert.deepEqual(fromFlags.servers, ["ws://c:3"]);
});

test("switches in the environment can be off, empty variables count for nothing, bad ones are named", async () => {
  assert.equal((await serve([], { CAISSON_OPEN: "0" })).open, false);
  assert.equal((await serve([], { CAISSON_OPEN: "yes" })).open, true);
  assert.equal((await serve([], { CAISSON_DOMAIN: "" })).domain, undefined);
  await assert.rejects(() => serve([], { CAISSON_OPEN: "maybe" }), /CAISSON_OPEN=maybe is invalid. Write 1 or 0/);
  await assert.rejects(() => serve([], { CAISSON_DEAD_AFTER: "x" }), /CAISSON_DEAD_AFTER=x is invalid. Write seconds/);
});

test("help and version are printed, and leave nothing to do", async () => {
  for (const [argv, expected] of [
    [["--help"], /Usage: caisson TARGET[\s\S]*Examples:[\s\S]*caisson 8000/],
    [["-h"], /Usage: caisson TARGET/],
    [["help", "serve"], /Usage: caisson serve[\s\S]*--name-hold/],
    [["http", "--help"], /Usage: caisson http[\s\S]*Examples:/],
    [["demo", "-h"], /Usage: caisson demo/],
    [["--version"], /^9\.9\.9\n$/],
  ] as const) {
    let text = "";
    const write = (part: string): void => void (text += part);
    assert.deepEqual(await parseCommandLine({ argv, env: {}, version: "9.9.9", write }), { command: "none" });
    assert.match(text, expected);
  }
});
