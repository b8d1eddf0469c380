/** The method Send: composes a message and queues it, one copy for each recipient. */
import type { Directory } from "../../../domain/account/account.ts";
import { isLiteral, parseAddress } from "../../../domain/address.ts";
import { DAY_MS } from "../../../domain/clock.ts";
import type { Clock, Instant } from "../../../domain/clock.ts";
import { giveBack } from "../../../domain/content.ts";
import { contentSize, type Content } from "../../../domain/event-log.ts";
import type { Submit, SubmissionRefusal } from "../../../domain/submission/submission.ts";
import type { Composer } from "../../mime/compose.ts";
import type { Draft, DraftFile, Mailbox } from "../../mime/draft.ts";
import type { FormFile } from "../form.ts";
import type { Caller, ErrorCode, Method, MethodResult, Refusal } from "./method.ts";
import { refuse } from "./method.ts";
import type { SendAnswer, SendRequest } from "./send-schema.ts";
import { exampleSendAnswer, exampleSendRequest, sendAnswer, sendRequest } from "./send-schema.ts";

export type SendOptions = {
  readonly directory: Directory;
  readonly clock: Pick<Clock, "now">;
  readonly composer: Composer;
  readonly submit: Submit;
  /** Signs a composed message for the domain of its From address. Without it, messages go unsigned. */
  readonly sign?: (content: Content, fromDomain: string) => Promise<Content>;
  /** Octets of a composed message. */
  readonly maxMessageSize: number;
  readonly maxRecipients?: number;
};

const MAX_AHEAD_MS = 60 * DAY_MS;
const MAX_EXTRA_KEYS = 1_000;
const MAX_EXTRA_CHARACTERS = 65_536;

/** Escaping can take three octets for one (percent-encoding), and base64 for files four for three. */
const bodyLimit = (maxMessageSize: number): number => 3 * maxMessageSize + 1024 * 1024;

type NameAddress = SendRequest["To"][number];
type Parsed<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refusal: Refusal };

const parseMailboxes = (list: readonly NameAddress[], field: string): Parsed<readonly Mailbox[]> => {
  const mailboxes: Mailbox[] = [];
  for (const { Name, Address } of list) {
    const address = parseAddress(Address);
    // Clients of mox are told so of literals too. Nobody's users live at one, and asking for it would tell what answers there.
    if (address === undefined || isLiteral(address)) {
      return refuse("badAddress", `${field}: ${JSON.stringify(Address.slice(0, 300))} is not an email address at a domain`);
    }
    mailboxes.push({ name: Name, address });
  }
  return { ok: true, value: mailboxes };
};

type Parties = Pick<Draft, "from" | "to" | "cc" | "bcc" | "replyTo">;

const parseParties = (caller: Caller, request: SendRequest): Parsed<Parties> => {
  if (request.From.length > 1) return refuse("multipleFrom", "a message has one From address");
  const [from] = request.From;
  const self = { name: caller.account.fullName, address: caller.login };
  const parsedFrom: Parsed<readonly Mailbox[]> = from === undefined ? { ok: true, value: [self] } : parseMailboxes([from], "From");
  if (!parsedFrom.ok) return parsedFrom;
  const to = parseMailboxes(request.To, "To");
  if (!to.ok) return to;
  const cc = parseMailboxes(request.CC, "CC");
  if (!cc.ok) return cc;
  const bcc = parseMailboxes(request.BCC, "BCC");
  if (!bcc.ok) return bcc;
  const replyTo = parseMailboxes(request.ReplyTo, "ReplyTo");
  if (!replyTo.ok) return replyTo;
  return { ok: true, value: { from: parsedFrom.value[0] ?? self, to: to.value, cc: cc.value, bcc: bcc.value, replyTo: replyTo.value } };
};

const parseJsonFiles = (list: SendRequest["AttachedFiles"], field: string): Parsed<readonly DraftFile[]> => {
  const files: DraftFile[] = [];
  for (const [index, { Name, ContentType, ContentID, Data: data }] of list.entries()) {
    if (data === undefined) return refuse("user", `${field}[${index}]: Data is not base64`);
    files.push({ name: Name, contentType: ContentType, contentId: ContentID, data });
  }
  return { ok: true, value: files };
};

const formFiles = (files: readonly FormFile[], field: string): readonly DraftFile[] => files.filter((file) => file.field === field);

type Files = Pick<Draft, "alternativeFiles" | "inlineFiles" | "attachedFiles">;

/** Files of the JSON request come before those of the form, as in mox. */
const parseFiles = (request: SendRequest, form: readonly FormFile[]): Parsed<Files> => {
  const alternative = parseJsonFiles(request.AlternativeFiles, "AlternativeFiles");
  if (!alternative.ok) return alternative;
  const inline = parseJsonFiles(request.InlineFiles, "InlineFiles");
  if (!inline.ok) return inline;
  const attached = parseJsonFiles(request.AttachedFiles, "AttachedFiles");
  if (!attached.ok) return attached;
  return {
    ok: true,
    value: {
      alternativeFiles: [...alternative.value, ...formFiles(form, "alternativefile")],
      inlineFiles: [...inline.value, ...formFiles(form, "inlinefile")],
      attachedFiles: [...attached.value, ...formFiles(form, "attachedfile")],
    },
  };
};

const extraRefusal = (extra: Readonly<Record<string, string>>): Refusal | undefined => {
  const entries = Object.entries(extra);
  const characters = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (entries.length <= MAX_EXTRA_KEYS && characters <= MAX_EXTRA_CHARACTERS) return undefined;
  return { code: "user", message: `Extra has more than ${MAX_EXTRA_KEYS} keys or ${MAX_EXTRA_CHARACTERS} characters` };
};

const fromRefusal = (directory: Directory, caller: Caller, { address }: Mailbox): Refusal | undefined => {
  if (directory.accountOf(address)?.name !== caller.account.name) {
    return { code: "badFrom", message: "From is not an address of this account" };
  }
  return directory.domain(address.domain)?.disabled === true
    ? { code: "domainDisabled", message: "the domain of the From address is disabled" }
    : undefined;
};

const recipientsOf = ({ to, cc, bcc }: Parties): readonly Mailbox[] => [...to, ...cc, ...bcc];

const contentOctets = (request: SendRequest, files: Files): number => {
  const all = [...files.alternativeFiles, ...files.inlineFiles, ...files.attachedFiles];
  return all.reduce((sum, { data }) => sum + (data.length * 4) / 3, request.Text.length + request.HTML.length);
};

const REFUSAL_CODES: Readonly<Record<SubmissionRefusal["reason"], ErrorCode>> = {
  badFrom: "badFrom",
  domainDisabled: "domainDisabled",
  noRecipients: "noRecipients",
  messageLimitReached: "messageLimitReached",
  recipientLimitReached: "recipientLimitReached",
  fromIdImpossible: "user",
};

const tooLarge = (maxMessageSize: number): Refusal => ({
  code: "messageTooLarge",
  message: `message is larger than ${maxMessageSize} octets`,
});

/** Everything that can be wrong with a request before it is composed, in the order in which mox looks. */
const toDraft = (options: SendOptions, caller: Caller, request: SendRequest, now: Instant): Parsed<Draft> => {
  if (request.Text === "" && request.HTML === "") return refuse("missingBody", "at least one of Text and HTML is required");
  const parties = parseParties(caller, request);
  if (!parties.ok) return parties;
  const refusal = fromRefusal(options.directory, caller, parties.value.from);
  if (refusal !== undefined) return { ok: false, refusal };
  const recipients = recipientsOf(parties.value).length;
  const { maxRecipients = 10_000, maxMessageSize } = options;
  if (recipients === 0) return refuse("noRecipients", "at least one recipient is required");
  if (recipients > maxRecipients) return refuse("user", `more than ${maxRecipients} recipients`);
  if (request.FutureRelease !== null && request.FutureRelease.at - now > MAX_AHEAD_MS) {
    return refuse("user", "FutureRelease is more than 60 days ahead");
  }
  const extra = extraRefusal(request.Extra);
  if (extra !== undefined) return { ok: false, refusal: extra };
  const files = parseFiles(request, caller.files);
  if (!files.ok) return files;
  if (contentOctets(request, files.value) > maxMessageSize) return { ok: false, refusal: tooLarge(maxMessageSize) };
  const { MessageID, References, Date: date, Subject, Text, HTML, Headers } = request;
  const header = { messageId: MessageID, references: References, date, subject: Subject, headers: Headers };
  return { ok: true, value: { ...parties.value, ...header, text: Text, html: HTML, ...files.value } };
};

/** Text of the addresses as the request has them: the answer names them so. */
const addressTexts = ({ To, CC, BCC }: SendRequest): readonly string[] => [...To, ...CC, ...BCC].map(({ Address }) => Address);

/** Builds the method Send. */
export const sendMethod = (options: SendOptions): Method<SendRequest, SendAnswer> => {
  const { clock, composer, submit, sign, maxMessageSize } = options;

  const call = async (caller: Caller, request: SendRequest): Promise<MethodResult<SendAnswer>> => {
    const now = clock.now();
    const draft = toDraft(options, caller, request, now);
    if (!draft.ok) return draft;
    const composed = await composer.compose(draft.value, now);
    if (!composed.ok) return refuse(composed.refusal.code, composed.refusal.detail);
    // The message has the files now.
    for (const { Data } of [...request.AlternativeFiles, ...request.InlineFiles, ...request.AttachedFiles]) if (Data) giveBack(Data);
    const { messageId, smtpUtf8, eightBit, content: unsigned } = composed.message;
    if (contentSize(unsigned) > maxMessageSize) return { ok: false, refusal: tooLarge(maxMessageSize) };
    const content = sign === undefined ? unsigned : await sign(unsigned, draft.value.from.address.domain);
    const releaseAt = request.FutureRelease !== null && request.FutureRelease.at > now ? request.FutureRelease.at : null;
    const result = await submit({
      ...{ source: "webapi", account: caller.account, login: caller.login, from: draft.value.from.address },
      ...{ recipients: recipientsOf(draft.value).map(({ address }) => address), content, messageId, subject: request.Subject },
      ...{ extra: request.Extra, requireTls: request.RequireTLS, smtpUtf8, eightBit, releaseAt },
      ...(request.SaveSent ? { sentCopy: { head: Buffer.from(composer.bccField(draft.value.bcc)) } } : {}),
    });
    if (!result.accepted) return refuse(REFUSAL_CODES[result.refusal.reason], result.refusal.detail);
    if (result.copyLeftOut === true)
      return refuse("sentOverQuota", "message was queued, but the account's quota leaves no room for the copy in Sent");
    const texts = addressTexts(request);
    const submissions = result.queued.map(({ id, fromId }, index) => ({ Address: texts[index] ?? "", QueueMsgID: id, FromID: fromId }));
    return { ok: true, answer: { MessageID: messageId, Submissions: submissions } };
  };

  return {
    name: "Send",
    summary: "Composes a message and queues it for delivery to its recipients.",
    errors: [
      ["badAddress", "an address does not parse"],
      ["missingBody", "neither Text nor HTML"],
      ["multipleFrom", "more than one From address"],
      ["badFrom", "From is not an address of the account"],
      ["domainDisabled", "the domain of the From address is disabled"],
      ["noRecipients", "no To, CC or BCC"],
      ["messageLimitReached", "the account's messages of the last 24 hours are at their limit"],
      ["recipientLimitReached", "so are its first messages to new recipients"],
      ["malformedMessageID", "MessageID is not a message-id in <>"],
      ["messageTooLarge", "the message is larger than this server takes"],
      ["sentOverQuota", "the message was queued, but the account's storage has no room for the copy that SaveSent asks for"],
    ],
    ...{ request: sendRequest, answer: sendAnswer, exampleRequest: exampleSendRequest, exampleAnswer: exampleSendAnswer },
    maxBody: bodyLimit(maxMessageSize),
    tooLarge: tooLarge(maxMessageSize),
    call,
  };
};
