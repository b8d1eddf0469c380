/**
 * What `npm start`, `npm test` and `npm run check` do first: install what package-lock.json asks for if it is not there,
 * and make sure that scripts get a Node that runs TypeScript. Plain JavaScript without dependencies, because on a fresh
 * clone it runs before anything is installed, on whatever Node the machine has.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST_HOST_NODE = 20;
const NODE_FOR_TYPESCRIPT = 24;

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Prints what went wrong and what to do about it, and ends the script that npm wanted to run. */
const giveUp = (...lines) => {
  console.error(["", ...lines, ""].map((line) => `posthorn setup: ${line}`.trimEnd()).join("\n"));
  process.exit(1);
};

const readJson = (path) => {
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8"));
  } catch {
    return undefined;
  }
};

/**
 * Whether every package of the lock file is installed in the version and with the content that it names. npm keeps the
 * list of what it installed, so this also holds after `npm install` and stops holding after a `git pull` that brings
 * another lock file.
 */
const isInstalled = () => {
  const wanted = readJson("package-lock.json")?.packages;
  const present = readJson("node_modules/.package-lock.json")?.packages;
  if (wanted === undefined) giveUp("package-lock.json is missing or damaged: restore it with `git checkout package-lock.json`.");
  if (present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    const there = present[path];
    if (path === "" || (there === undefined && (entry.optional || entry.devOptional))) return true; // this project; other platforms
    return there?.version === entry.version && there?.integrity === entry.integrity && existsSync(join(root, path));
  });
};

/** Major version of the Node that npm's scripts get: the one in node_modules/.bin, else the machine's own. 0: none works. */
const scriptNodeMajor = () => {
  const bundled = join(root, "node_modules", ".bin", "node");
  const command = existsSync(bundled) ? bundled : "node";
  const { status, stdout } = spawnSync(command, ["-p", "process.versions.node"], { encoding: "utf8" });
  return status === 0 ? Number.parseInt(stdout, 10) : 0;
};

/** npm itself: the one that runs this script where that is known, so that a machine with several does not mix them. */
const npm = (...args) => {
  const npmScript = process.env.npm_execpath;
  const options = { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024, stdio: ["ignore", "pipe", "pipe"] };
  return npmScript?.endsWith("npm-cli.js")
    ? spawnSync(process.execPath, [npmScript, ...args], options)
    : spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
};

const install = () => {
  console.error("posthorn setup: installing dependencies (npm ci), about a minute ...");
  const startedAt = Date.now();
  const result = npm("ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error");
  if (result.error !== undefined) giveUp(`npm could not be started: ${result.error.message}`);
  if (result.status !== 0) {
    const said = `${result.stdout}${result.stderr}`.trim().split("\n").slice(-30);
    giveUp(
      "the dependencies could not be installed. npm said:",
      ...said.map((line) => `  ${line}`),
      "",
      "Check the network, and the proxy and registry that npm uses (`npm config list`), then run the command again.",
    );
  }
  console.error(`posthorn setup: done in ${((Date.now() - startedAt) / 1000).toFixed(0)} s.`);
};

const hostNode = Number.parseInt(process.versions.node, 10);
if (hostNode < OLDEST_HOST_NODE) giveUp(`this is Node ${process.versions.node}; Node ${OLDEST_HOST_NODE} or newer is needed.`);

if (!isInstalled()) install();

const major = scriptNodeMajor();
if (major < NODE_FOR_TYPESCRIPT) {
  giveUp(
    `Posthorn runs on Node ${NODE_FOR_TYPESCRIPT}, which the npm package "node" brings along; ${major === 0 ? "it does not run" : `instead there is Node ${major}`}.`,
    "Its install script fetches the program for this platform. Perhaps install scripts are switched off",
    "(`npm config get ignore-scripts`), or a proxy or registry does not have the package for this platform.",
    `Let it run with \`npm rebuild node --ignore-scripts=false\`, or install Node ${NODE_FOR_TYPESCRIPT} on this machine and remove node_modules/node.`,
  );
}
