/**
 * What an account does with its mail. A message is found by its own stream, so nothing here waits for the views to read;
 * what changes something answers when the views show it.
 */
import type { Instant } from "../clock.ts";
import type { Identity } from "../identity.ts";
import type { ReceivedMessages } from "../runtime/kinds.ts";
import type { ReadModel } from "../runtime/read-model.ts";
import type { ReceivedCommand } from "./commands.ts";
import { receivedStream, type Mailbox, type ReceivedMessage } from "./events.ts";
import { inOrder, MAX_FLAGS } from "./flags.ts";

/** A message as it is now, flags in the order of {@link inOrder}; `at` is when it was received. */
export type KeptMessage = ReceivedMessage & { readonly at: Instant };

/** `notFound`: the account has no such message, or no longer. `tooMany`: it would have more than {@link MAX_FLAGS} flags. */
export type MailboxResult = "done" | "notFound" | "tooMany";

export type Mailboxes = {
  /** Undefined when the account has no such message, or no longer: another account's message is none. */
  readonly find: (account: string, id: number) => Promise<KeptMessage | undefined>;
  /** Flags as from `parseFlags`. Those that are there already are passed over. */
  readonly addFlags: (account: string, id: number, flags: readonly string[], by: Identity) => Promise<MailboxResult>;
  /** Flags that are not there are passed over. */
  readonly removeFlags: (account: string, id: number, flags: readonly string[], by: Identity) => Promise<MailboxResult>;
  readonly move: (account: string, id: number, mailbox: Mailbox, by: Identity) => Promise<MailboxResult>;
  /** For good; the content goes when nothing else needs it. */
  readonly delete: (account: string, id: number, by: Identity) => Promise<MailboxResult>;
};

export const mailboxes = ({
  received,
  readModel,
}: {
  readonly received: ReceivedMessages;
  readonly readModel: Pick<ReadModel, "passed">;
}): Mailboxes => {
  const find: Mailboxes["find"] = async (account, id) => {
    const { state } = await received.load(receivedStream(id));
    const { message, mailbox, flags } = state.context;
    if (state.value !== "kept" || message?.account !== account) return undefined;
    return { ...message, mailbox, flags: inOrder(flags) };
  };

  const change = async (account: string, id: number, command: ReceivedCommand): Promise<MailboxResult> => {
    const message = await find(account, id);
    if (message === undefined) return "notFound";
    if (command.type === "flagsAdd" && new Set([...message.flags, ...command.flags]).size > MAX_FLAGS) return "tooMany";
    const turn = await received.execute(receivedStream(id), command);
    // Deleted a moment ago by somebody else.
    if (turn.kind === "refused") return "notFound";
    if (turn.events.length > 0) await readModel.passed(turn.position);
    return "done";
  };

  return {
    find,
    addFlags: (account, id, flags, by) => change(account, id, { type: "flagsAdd", flags, by }),
    removeFlags: (account, id, flags, by) => change(account, id, { type: "flagsRemove", flags, by }),
    move: (account, id, mailbox, by) => change(account, id, { type: "move", mailbox, by }),
    delete: (account, id, by) => change(account, id, { type: "delete", by }),
  };
};
