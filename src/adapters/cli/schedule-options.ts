/** The options that say when something is to be tried next. */
import { type Command, Option } from "commander";
import { durationArgument, shiftArgument, timeArgument } from "./arguments.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import type { Session } from "./session.ts";

export type TimeOptions = { readonly at?: string; readonly now?: true; readonly in?: number; readonly by?: number };

/** Adds the options to a command; `movable`: also moving from when it was due. */
export const withTimes = (command: Command, { parseDuration, now }: Session, kind: "movable" | "fixed"): Command => {
  const timed = command
    .addOption(
      new Option("--at <time>", "at a time (2026-06-01T12:00Z, +2h)")
        .argParser(timeArgument(parseDuration, now))
        .conflicts(["now", "in", "by"]),
    )
    .addOption(new Option("--now", "at once").conflicts(["in", "by"]))
    .addOption(new Option("--in <duration>", "so long from now (15m)").argParser(durationArgument(parseDuration)).conflicts("by"));
  return kind === "fixed"
    ? timed
    : timed.addOption(
        new Option("--by <duration>", "so much later than it was due (2h), or earlier (-2h)").argParser(shiftArgument(parseDuration)),
      );
};

/** The action that the options ask for. */
export const actionFrom = (options: TimeOptions): object => {
  if (options.at !== undefined) return { type: "schedule", at: options.at };
  if (options.now === true) return { type: "scheduleIn", inMs: 0 };
  if (options.in !== undefined) return { type: "scheduleIn", inMs: options.in };
  if (options.by !== undefined) return { type: "postpone", byMs: options.by };
  throw new CommandFailure(EXIT.usage, "when? give --now, --at or --in");
};
