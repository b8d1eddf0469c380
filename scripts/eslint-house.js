/**
 * The walls of the house as ESLint rules: who may import whom, how a file opens and what it is called. Tables first, so
 * that a change of the rules is a change of one line here. test/lint-walls.test.ts shows each of them firing.
 */
import { dirname, isAbsolute, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Rooms, the first match counts. `sees`: folders whose files may be imported. `packages`: which libraries and Node
 * modules; "all", or names. Adapters are one room for each folder under src/adapters.
 */
const ROOMS = [
  { files: /^src\/domain\/.*\bmachine\.ts$/, name: "a state machine", sees: [/^src\/domain\//], packages: ["xstate"] },
  { files: /^src\/domain\//, name: "src/domain", sees: [/^src\/domain\//], packages: [] },
  { files: /^src\/projections\//, name: "src/projections", sees: [/^src\/(domain|projections)\//], packages: [] },
  { files: /^src\/adapters\/[^/]+\//, name: "an adapter", sees: [/^src\/(domain|projections)\//], packages: "all" },
  { files: /^src\//, name: "the composition root", sees: [/^src\//, /^package\.json$/], packages: "all" },
  { files: /^(test|bench|scripts)\//, name: "code outside src", sees: [/./], packages: "all" },
];

/**
 * What an adapter may know of another one: the types of its port, so that it can say what main has to hand it; and code
 * only where that is the port's own language.
 */
const PORTS = [
  /^src\/adapters\/(event-store\/event-store|dns\/(resolver|record-lookups)|mail-auth\/sender-checks|mime\/(compose|draft|reader\/mail-reading)|auth\/(authenticator|failure-limiter))\.ts$/,
];
const DOORS = [/^src\/adapters\/event-store\/(event-store|codec|event-codec|store-unavailable)\.ts$/];

/** Names, and words in names, that say nothing about what is inside. */
const EMPTY_NAMES = new Set(["index", "types", "misc", "shared"]);
const EMPTY_WORDS = new Set(["utils", "util", "helpers", "helper", "manager", "common"]);

const projectPath = (path) => relative(root, path).split(sep).join(posix.sep);

const adapterFolder = (path) => /^src\/adapters\/[^/]+\//.exec(path)?.[0];

/** Why `from` may not import `specifier`; undefined when it may. */
const refusal = (from, specifier, typesOnly) => {
  const room = ROOMS.find(({ files }) => files.test(from));
  if (room === undefined) return undefined;
  if (!specifier.startsWith(".") && !isAbsolute(specifier)) {
    const allowed = room.packages === "all" || room.packages.includes(specifier);
    return allowed ? undefined : `${room.name} may not use "${specifier}"`;
  }
  const target = posix.normalize(posix.join(posix.dirname(from), specifier));
  if (target === "src/main.ts" && from.startsWith("src/")) return "nobody imports main: it hands things out";
  const own = adapterFolder(from);
  if (own !== undefined && target.startsWith("src/adapters/")) {
    const open = target.startsWith(own) || [...DOORS, ...(typesOnly ? PORTS : [])].some((door) => door.test(target));
    return open ? undefined : `an adapter may not import another one's ${target}: main connects them`;
  }
  return room.sees.some((seen) => seen.test(target)) ? undefined : `${room.name} may not import ${target}`;
};

const walls = {
  meta: { type: "problem", schema: [] },
  create: (context) => {
    const from = projectPath(context.filename);
    const check = (source, typesOnly = false) => {
      if (typeof source?.value !== "string") return;
      const message = refusal(from, source.value, typesOnly);
      if (message !== undefined) context.report({ node: source, message });
    };
    return {
      ImportDeclaration: (node) => check(node.source, node.importKind === "type"),
      ExportNamedDeclaration: (node) => check(node.source, node.exportKind === "type"),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      TSImportType: (node) => check(node.source, true),
    };
  },
};

const openingComment = {
  meta: { type: "suggestion", schema: [] },
  create: (context) => ({
    Program: (node) => {
      const first = context.sourceCode.getAllComments().find(({ type }) => type !== "Shebang");
      const start = context.sourceCode.getFirstToken(node)?.range[0] ?? Infinity;
      if (first === undefined || first.range[0] > start) {
        context.report({ loc: { line: 1, column: 0 }, message: "a file opens with a comment on why it exists" });
      }
    },
  }),
};

const fileName = {
  meta: { type: "suggestion", schema: [] },
  create: (context) => ({
    Program: () => {
      const [name] = posix.basename(projectPath(context.filename)).split(".");
      const report = (message) => context.report({ loc: { line: 1, column: 0 }, message });
      if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) report(`"${name}" is not kebab-case`);
      if (EMPTY_NAMES.has(name) || name.split("-").some((word) => EMPTY_WORDS.has(word)))
        report(`"${name}" says nothing about what is inside`);
    },
  }),
};

/** The plugin, under the name `house`. */
export const house = { rules: { walls, "opening-comment": openingComment, "file-name": fileName } };
