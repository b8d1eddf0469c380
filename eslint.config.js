/** Lint rules: typescript-eslint's strictest type-checked set, sizes, and the walls between the rooms of the house. */
import eslint from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import typescript from "typescript-eslint";
import { house } from "./scripts/eslint-house.js";

/** The outside world by its global names: nothing of it exists in src/domain and src/projections. */
const WORLD = [
  ...["process", "globalThis", "global", "Buffer", "console", "crypto", "performance", "navigator", "fetch", "WebSocket", "EventSource"],
  ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate", "queueMicrotask"],
  ...["require", "module", "eval", "Function", "Intl", "BroadcastChannel", "MessageChannel", "Worker", "localStorage", "sessionStorage"],
];

const PURE = "the core is pure: instants come with commands, chance and I/O come through ports";

/** `Date` reads the clock and the time zone; `Date.UTC` only counts. */
const IMPURE_SYNTAX = [
  { selector: 'Identifier[name="Date"]:not(MemberExpression[property.name="UTC"] > .object)', message: PURE },
  { selector: "MetaProperty[meta.name='import']", message: PURE },
];

const NO_DEFAULTS = [
  { selector: "ExportDefaultDeclaration", message: "export by name" },
  { selector: "ExportAllDeclaration", message: "no barrels: import from where it is" },
];

export default defineConfig(
  globalIgnores(["node_modules/", "coverage/", "data/", "local-data/"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  eslint.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [typescript.configs.strictTypeChecked, typescript.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-definitions": ["error", "type"],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      // A default case is a decision about all the rest; without one, a new variant must be thought about.
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true }],
      // Numbers read well in messages; everything else has to be turned into text on purpose.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true, ignoreVoidOperator: true }],
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: "only-allowed-literals" }],
      // A port is asynchronous because one of its adapters is; the others need not wait for anything.
      "@typescript-eslint/require-await": "off",
      // Index signatures are read with brackets (tsconfig: noPropertyAccessFromIndexSignature).
      "@typescript-eslint/dot-notation": ["error", { allowIndexSignaturePropertyAccess: true }],
      // `void` marks what is called for its effect only.
      "@typescript-eslint/no-meaningless-void-operator": "off",
      // It would ask for `!`, which the strict set forbids.
      "@typescript-eslint/non-nullable-type-assertion-style": "off",
      // A named key says what the keys are: `{ [stream: string]: … }`.
      "@typescript-eslint/consistent-indexed-object-style": "off",
      // What comes from a wire is checked for control characters on purpose.
      "no-control-regex": "off",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-console": "error",
      // A switch over a union is one decision, however many variants there are.
      complexity: ["error", { max: 15, variant: "modified" }],
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // A factory whose closures share one state is as long as all of them together; each stays short.
    files: ["src/domain/runtime/*.ts", "src/domain/submission/submit.ts"],
    rules: { "max-lines-per-function": ["error", { max: 95, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ["src/**/*.ts"],
    plugins: { house },
    rules: {
      "house/walls": "error",
      "house/opening-comment": "error",
      "house/file-name": "error",
      "no-restricted-syntax": ["error", ...NO_DEFAULTS],
    },
  },
  {
    files: ["src/domain/**/*.ts", "src/projections/**/*.ts"],
    rules: {
      "no-restricted-globals": ["error", ...WORLD.map((name) => ({ name, message: PURE }))],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: PURE },
        { object: "AbortSignal", property: "timeout", message: PURE },
      ],
      "no-restricted-syntax": ["error", ...NO_DEFAULTS, ...IMPURE_SYNTAX],
    },
  },
  {
    files: ["test/**/*.ts", "bench/**/*.ts", "scripts/**/*.ts"],
    plugins: { house },
    rules: {
      "house/opening-comment": "error",
      "house/file-name": "error",
      "no-console": "off",
    },
  },
  {
    files: ["**/*.test.ts"],
    rules: {
      // A test opens with its describe, which says what it is about.
      "house/opening-comment": "off",
    },
  },
  {
    files: ["test/**/*.ts", "bench/**/*.ts"],
    rules: {
      // node:test's describe and it answer promises that the runner itself waits for.
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: [{ from: "package", package: "node:test", name: ["describe", "it", "test", "suite"] }] },
      ],
      // A describe block is as long as its list of sentences.
      "max-lines-per-function": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    plugins: { house },
    languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly" } },
    rules: { "house/opening-comment": "error" },
  },
);
