/** The methods on messages in mailboxes. Another account's message is none. */
import { z } from "zod";
import type { ContentStore } from "../../../domain/event-log.ts";
import { MAILBOXES, type Mailbox } from "../../../domain/received/events.ts";
import { parseFlags } from "../../../domain/received/flags.ts";
import type { KeptMessage, Mailboxes, MailboxResult } from "../../../domain/received/mailboxes.ts";
import type { MailReading, Pieces } from "../../mime/reader/mail-reading.ts";
import { answerOf } from "./message-answer.ts";
import { EXAMPLE_RAW, exampleMessage, flagsRequest, messageAnswer, messageRequest, moveRequest, partRequest } from "./message-schema.ts";
import type { AnyMethod, Caller, ErrorCode, Method, MethodResult, Refusal } from "./method.ts";
import { refuse, SMALL_BODY, SMALL_BODY_REFUSAL } from "./method.ts";

export type MessageOptions = {
  readonly mailboxes: Mailboxes;
  readonly contents: Pick<ContentStore, "open">;
  readonly readMail: (pieces: Pieces) => Promise<MailReading>;
  /** Decoded octets of the part at a path; undefined when there is none. */
  readonly readPart: (pieces: Pieces, path: readonly number[]) => Promise<Uint8Array | undefined>;
};

const EMPTY = {};
const EXAMPLE_ID = 68719476736;

const emptyAnswer = z.object({});
const small = { maxBody: SMALL_BODY, tooLarge: SMALL_BODY_REFUSAL };
const changed = { answer: emptyAnswer, exampleAnswer: EMPTY, ...small };

const NOT_FOUND: readonly [ErrorCode, string] = ["messageNotFound", "the account has no such message, or no longer"];
const notFound: { readonly ok: false; readonly refusal: Refusal } = refuse("messageNotFound", "message not found");

const by = ({ account }: Caller) => ({ kind: "account", name: account.name }) as const;

const outcomeOf = (result: MailboxResult): MethodResult<object> => {
  if (result === "notFound") return notFound;
  return result === "done" ? { ok: true, answer: EMPTY } : refuse("user", "the message would have too many flags");
};

/** Inbox is the one name that is written in any case (RFC 9051 section 5.1). */
const mailboxOf = (name: string): Mailbox | undefined =>
  name.toLowerCase() === "inbox" ? "Inbox" : MAILBOXES.find((mailbox) => mailbox === name);

type Request<Schema extends z.ZodType> = z.output<Schema>;

const reading = ({ mailboxes, contents, readMail, readPart }: MessageOptions): readonly AnyMethod[] => {
  /** The message with its content, opened. */
  const find = async ({ account }: Caller, id: number) => {
    const message = await mailboxes.find(account.name, id);
    const content = message === undefined ? undefined : await contents.open(message.contentId);
    if (message === undefined || content !== undefined) return { message, content };
    // It may have been deleted between the two steps.
    if ((await mailboxes.find(account.name, id)) === undefined) return { message: undefined, content: undefined };
    throw new Error(`the content ${message.contentId} of message ${id} is missing`);
  };
  const found = async <Answer>(
    caller: Caller,
    id: number,
    work: (message: KeptMessage, content: NonNullable<Awaited<ReturnType<ContentStore["open"]>>>) => Promise<MethodResult<Answer>>,
  ): Promise<MethodResult<Answer>> => {
    const { message, content } = await find(caller, id);
    return message === undefined || content === undefined ? notFound : work(message, content);
  };

  const getting: Method<Request<typeof messageRequest>, Request<typeof messageAnswer>> = {
    name: "MessageGet",
    summary: "Reads a message: header, text and HTML (the first MiB of each), structure, and how it came.",
    errors: [NOT_FOUND],
    ...{ request: messageRequest, answer: messageAnswer, exampleRequest: { MsgID: EXAMPLE_ID }, exampleAnswer: exampleMessage, ...small },
    call: (caller, { MsgID }) =>
      found(caller, MsgID, async (message, { pieces }) => ({ ok: true, answer: answerOf(message, await readMail(pieces)) })),
  };

  const raw: Method<Request<typeof messageRequest>, object> = {
    name: "MessageRawGet",
    summary: "Hands out a message as it was received.",
    errors: [NOT_FOUND],
    ...{ request: messageRequest, exampleRequest: { MsgID: EXAMPLE_ID }, ...changed },
    octets: { what: "The octets of the message, as text/plain.", example: EXAMPLE_RAW },
    call: (caller, { MsgID }) =>
      found(caller, MsgID, async (_, content) => ({ ok: true, octets: { contentType: "text/plain", ...content } })),
  };

  const part: Method<Request<typeof partRequest>, object> = {
    name: "MessagePartGet",
    summary: "Hands out one part of a message, its transfer encoding undone.",
    errors: [NOT_FOUND, ["partNotFound", "the message has no such part"]],
    ...{ request: partRequest, exampleRequest: { MsgID: EXAMPLE_ID, PartPath: [0] }, ...changed },
    octets: { what: "The octets of the part, in its own character set.", example: "It has arrived.\n" },
    call: (caller, { MsgID, PartPath }) =>
      found(caller, MsgID, async (_, { pieces, size }) => {
        // The part is in memory until the client has taken it; when it is put together, twice for a moment.
        if (!caller.hold(2 * size)) return { ok: false, busy: true };
        const octets = await readPart(pieces, PartPath);
        if (octets === undefined) return refuse("partNotFound", `the message has no part [${PartPath.slice(0, 100).join(", ")}]`);
        return { ok: true, octets: { contentType: "application/octet-stream", size: octets.byteLength, pieces: [octets] } };
      }),
  };

  return [getting, raw, part];
};

const changing = ({ mailboxes }: MessageOptions): readonly AnyMethod[] => {
  const deleting: Method<Request<typeof messageRequest>, object> = {
    name: "MessageDelete",
    summary: "Deletes a message for good. To keep it for a while, move it to Trash.",
    errors: [NOT_FOUND],
    ...{ request: messageRequest, exampleRequest: { MsgID: EXAMPLE_ID }, ...changed },
    call: async (caller, { MsgID }) => outcomeOf(await mailboxes.delete(caller.account.name, MsgID, by(caller))),
  };

  const flagging = (name: string, summary: string, change: "addFlags" | "removeFlags"): Method<Request<typeof flagsRequest>, object> => ({
    name,
    summary,
    errors: [NOT_FOUND],
    ...{ request: flagsRequest, exampleRequest: { MsgID: EXAMPLE_ID, Flags: ["\\seen", "handled"] }, ...changed },
    call: async (caller, { MsgID, Flags }) => {
      const flags = parseFlags(Flags);
      if (!flags.ok) return refuse("user", flags.detail);
      return outcomeOf(await mailboxes[change](caller.account.name, MsgID, flags.flags, by(caller)));
    },
  });

  const moving: Method<Request<typeof moveRequest>, object> = {
    name: "MessageMove",
    summary: "Moves a message to another mailbox.",
    errors: [NOT_FOUND],
    ...{ request: moveRequest, exampleRequest: { MsgID: EXAMPLE_ID, DestMailboxName: "Archive" }, ...changed },
    call: async (caller, { MsgID, DestMailboxName }) => {
      const mailbox = mailboxOf(DestMailboxName);
      if (mailbox === undefined)
        return refuse("user", `there is no mailbox ${JSON.stringify(DestMailboxName.slice(0, 100))}: ${MAILBOXES.join(", ")}`);
      return outcomeOf(await mailboxes.move(caller.account.name, MsgID, mailbox, by(caller)));
    },
  };

  return [
    deleting,
    flagging("MessageFlagsAdd", "Adds flags to a message. Those that it has are passed over.", "addFlags"),
    flagging("MessageFlagsRemove", "Takes flags off a message. Those that it does not have are passed over.", "removeFlags"),
    moving,
  ];
};

/** Builds the methods on messages: MessageGet, MessageRawGet, MessagePartGet, MessageDelete, MessageFlagsAdd, MessageFlagsRemove, MessageMove. */
export const messageMethods = (options: MessageOptions): readonly AnyMethod[] => [...reading(options), ...changing(options)];
