// What this guards: the layer rules of ARCHITECTURE.md, and the habits that keep every resource accounted for.
import { defineConfig } from "oxlint";

/** Which folders of src each folder may import from, besides itself. */
const layers = {
  lifecycle: [],
  wire: ["lifecycle"],
  http1: ["lifecycle"],
  tokens: ["lifecycle"],
  mux: ["wire", "lifecycle"],
  server: ["mux", "wire", "http1", "tokens", "lifecycle"],
  client: ["mux", "wire", "http1", "tokens", "lifecycle"],
  observe: ["lifecycle"],
  leaks: ["lifecycle"],
  admin: ["observe", "leaks", "tokens", "lifecycle"],
  // Runs in a browser: of the others it takes types, and what is pure.
  page: ["admin", "observe", "leaks", "lifecycle"],
};

const timers = ["setTimeout", "setInterval"].map((name) => ({
  name,
  message: "Timers come only from src/lifecycle/deadlines.ts, so that each is counted and moves with event-loop gaps.",
}));
const timerModules = ["node:timers", "node:timers/promises", "timers", "timers/promises"].map((name) => ({
  name,
  message: "Timers come only from src/lifecycle/deadlines.ts.",
}));

/** OpenTelemetry's API is known to observe/ alone, and its SDK to nobody at compile time: the command line loads it when asked. */
const otel = {
  regex: "^@opentelemetry/",
  allowTypeImports: true,
  message: "Only src/observe imports @opentelemetry/api; the SDK is loaded by import() in src/cli/otel-parts.ts.",
};
// A pattern without look-ahead: any name but `api`.
const otelSdk = { ...otel, regex: "^@opentelemetry/(?:[^a]|a[^p]|api.)", allowTypeImports: false };

function layerRule([folder, allowed]) {
  const banned = [...Object.keys(layers), "assemble", "cli"].filter(
    (name) => name !== folder && !allowed.includes(name),
  );
  return {
    files: [`src/${folder}/**/*.{ts,tsx}`],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: folder === "lifecycle" ? [] : timerModules,
          patterns: [
            folder === "observe" ? otelSdk : { ...otel, allowTypeImports: false },
            {
              regex: `^\\.\\./(?:\\.\\./|[^/]+\\.ts$|(?:${banned.join("|")})/)`,
              message: `src/${folder} may import only from ${["itself", ...allowed].join(", ")} (ARCHITECTURE.md, layers).`,
            },
          ],
        },
      ],
    },
  };
}

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import", "promise", "node"],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  options: { typeAware: true },
  ignorePatterns: ["dist/**", "node_modules/**"],
  rules: {
    "typescript/no-explicit-any": "error",
    // What node:test returns settles when the runner has the result; nothing needs to wait for it.
    "typescript/no-floating-promises": [
      "error",
      { allowForKnownSafeCalls: [{ from: "package", package: "node:test", name: ["test", "describe", "it"] }] },
    ],
    "typescript/no-misused-promises": "error",
    "typescript/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    "typescript/consistent-type-imports": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/ban-ts-comment": "error",
    "no-empty": "error",
    "no-var": "error",
    "prefer-const": "error",
    eqeqeq: "error",
    "import/no-cycle": "error",
    // Sequential awaits in loops are what tests and benches are made of.
    "no-await-in-loop": "off",
    // `_name` marks what only the files of one folder share (house style).
    "no-underscore-dangle": "off",
    // Named listeners and small local functions read better beside their use.
    "unicorn/consistent-function-scoping": "off",
  },
  overrides: [
    { files: ["src/**/*.ts"], rules: { "no-restricted-globals": ["error", ...timers], "no-console": "error" } },
    {
      // A bench makes its rows once per run, destructures plain objects of functions, and types its workers' orders.
      files: ["bench/**/*.ts"],
      rules: {
        "oxc/no-map-spread": "off",
        "typescript/unbound-method": "off",
        "typescript/no-unnecessary-type-parameters": "off",
      },
    },
    {
      // Tests look at what they know from elsewhere (an address, parsed JSON), and a wrong guess fails at once.
      files: ["test/**/*.ts"],
      rules: {
        "typescript/no-unsafe-type-assertion": "off",
        "typescript/unbound-method": "off",
        "import/no-named-as-default-member": "off",
      },
    },
    { files: ["src/lifecycle/deadlines.ts"], rules: { "no-restricted-globals": "off" } },
    {
      files: ["src/assemble/**/*.ts", "src/cli/**/*.ts", "src/*.ts"],
      rules: { "no-restricted-imports": ["error", { paths: timerModules, patterns: [otel] }] },
    },
    {
      files: ["src/cli/otel-parts.ts"],
      rules: { "no-restricted-imports": ["error", { paths: timerModules }] },
    },
    ...Object.entries(layers).map(layerRule),
    {
      // A browser has no deadlines.ts; JSX needs no import of React.
      files: ["src/page/**/*.{ts,tsx}"],
      rules: { "no-restricted-globals": "off", "react/react-in-jsx-scope": "off" },
    },
  ],
});
