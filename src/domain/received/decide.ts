/** What a command to a message in a mailbox comes to. What changes nothing is no event, so asking again costs nothing. */
import type { ReceivedCommand, ReceivedTerms } from "./commands.ts";
import { RETENTION, type ReceivedEvent } from "./events.ts";
import type { ReceivedState } from "./machine.ts";

type Events = readonly ReceivedEvent[];

const NOTHING: Events = [];

/** The events that a command leads to; none when it changes nothing. The chart still says whether they are allowed. */
export const decideReceived = (command: ReceivedCommand, { value, context }: ReceivedState, { now: at }: ReceivedTerms): Events => {
  const { flags, mailbox, message } = context;
  // Where there is none any more, the chart refuses what would follow.
  const isKept = value === "kept";
  switch (command.type) {
    case "receive":
      return [{ type: "MessageReceived", at, ...command.message }];
    case "flagsAdd": {
      const added = command.flags.filter((flag) => !flags.has(flag));
      return isKept && added.length === 0 ? NOTHING : [{ type: "MessageFlagsAdded", at, flags: added, by: command.by }];
    }
    case "flagsRemove": {
      const removed = command.flags.filter((flag) => flags.has(flag));
      return isKept && removed.length === 0 ? NOTHING : [{ type: "MessageFlagsRemoved", at, flags: removed, by: command.by }];
    }
    case "move":
      return isKept && mailbox === command.mailbox ? NOTHING : [{ type: "MessageMoved", at, mailbox: command.mailbox, by: command.by }];
    case "delete":
      return [{ type: "MessageDeleted", at, by: command.by }];
    case "remove": {
      const keepUntil = message?.keepUntil ?? null;
      return isKept && (keepUntil === null || keepUntil > at) ? NOTHING : [{ type: "MessageDeleted", at, by: RETENTION }];
    }
  }
};
