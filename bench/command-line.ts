/** What the benchmark is asked for. */
import { parseArgs } from "node:util";

export type Asked = {
  readonly postfix: boolean;
  /** Names of scenarios; empty = all. */
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly jsonFile: string | undefined;
  readonly profileDirectory: string | undefined;
};

export const USAGE = `npm run bench -- [options]
  --peer postfix      measures Postfix beside Posthorn, in turns (must be installed; needs root)
  --only NAME,NAME    only these scenarios
  --quick             one small round of each: less than a minute, figures only roughly right
  --json FILE         writes the figures into a file as well
  --profile DIRECTORY leaves CPU profiles of the servers there (they slow it down)`;

/** Reads the arguments; throws, saying what is wrong, for what it does not know. */
export const readCommandLine = (args: readonly string[], scenarios: readonly string[]): Asked => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      peer: { type: "string" },
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      profile: { type: "string" },
    },
  });
  const { peer, only = "", quick, json, profile } = values;
  if (peer !== undefined && peer !== "postfix") throw new Error(`there is no peer ${JSON.stringify(peer)}: the only one is postfix`);
  const names = only.split(",").filter((name) => name !== "");
  const unknown = names.find((name) => !scenarios.includes(name));
  if (unknown !== undefined) throw new Error(`there is no scenario ${JSON.stringify(unknown)}: there are ${scenarios.join(", ")}`);
  return { postfix: peer === "postfix", only: names, quick, jsonFile: json, profileDirectory: profile };
};
