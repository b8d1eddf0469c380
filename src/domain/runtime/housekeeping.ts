/** What must happen in time though nobody asks: attempts that were lost go back to the queue, kept things are removed. */
import type { EventLog, Position } from "../event-log.ts";
import type { MessageCommand } from "../message/commands.ts";
import type { Messages, ReceivedMessages, Webhooks } from "./kinds.ts";
import type { DueItem, ReadModel } from "./read-model.ts";

/** Open attempts closed at a time after a restart. */
const RECOVERY_PAGE = 500;

export type Housekeeping = {
  /** Closes attempts whose time is over: whoever claimed them is gone. */
  readonly interrupt: (items: readonly DueItem[]) => Promise<Position>;
  /** Ends the keep period of retired messages and calls, and of mail in mailboxes. */
  readonly remove: (items: readonly DueItem[]) => Promise<Position>;
  /** Deletes streams that every reader has done with. */
  readonly delete: (items: readonly DueItem[]) => Promise<Position>;
  /** Closes every open attempt, when it is known that no other node works on this log. Resolves with how many there were. */
  readonly recover: () => Promise<number>;
};

export const housekeeping = (options: {
  readonly log: EventLog;
  readonly messages: Messages;
  readonly webhooks: Webhooks;
  readonly received: ReceivedMessages;
  readonly readModel: ReadModel;
  /** Resolves when the reactions have durably passed a position. */
  readonly reacted: (position: Position) => Promise<void>;
}): Housekeeping => {
  const { log, messages, webhooks, received, readModel, reacted } = options;

  const execute = async (stream: string, command: Extract<MessageCommand, { type: "abandon" | "remove" }>): Promise<Position> => {
    const actors = stream.startsWith("message-") ? messages : webhooks;
    return (await actors.execute(stream, command)).position;
  };

  const remove = async (stream: string): Promise<Position> =>
    stream.startsWith("received-") ? (await received.execute(stream, { type: "remove" })).position : execute(stream, { type: "remove" });

  const each =
    (act: (item: DueItem) => Promise<Position>) =>
    async (items: readonly DueItem[]): Promise<Position> =>
      Math.max(0, ...(await Promise.all(items.map(act))));

  const abandon = (reason: string, overdueOnly: boolean) => each(({ stream }) => execute(stream, { type: "abandon", reason, overdueOnly }));

  const recover = async (): Promise<number> => {
    let recovered = 0;
    const seen = new Set<string>();
    for (;;) {
      const open = readModel.openAttempts(RECOVERY_PAGE);
      if (open.length === 0) return recovered;
      const stuck = open.find(({ stream }) => seen.has(stream));
      if (stuck !== undefined) throw new Error(`the views show an open attempt of ${stuck.stream}, which has none: rebuild them`);
      for (const { stream } of open) seen.add(stream);
      await readModel.passed(await abandon("the server stopped during the attempt", false)(open));
      recovered += open.length;
    }
  };

  return {
    interrupt: abandon("no end of the attempt was recorded in time", true),
    remove: each(({ stream }) => remove(stream)),
    delete: each(async ({ stream }) => {
      // A reaction that had yet to read the last events would find them gone.
      await reacted(readModel.position());
      await log.deleteStream(stream);
      await readModel.forget(stream);
      return 0;
    }),
    recover,
  };
};
