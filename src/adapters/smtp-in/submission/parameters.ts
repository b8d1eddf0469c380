/** What the parameters of MAIL and RCPT ask a submission server for. */
import type { Instant } from "../../../domain/clock.ts";
import { DAY_MS } from "../../../domain/clock.ts";
import { NOTIFY_OCCASIONS, type NotifyOccasion, type QueuedMessage } from "../../../domain/message/events.ts";
import { badParameter, type PathCommand } from "../command-line.ts";
import type { Refusal } from "../refusal.ts";
import {
  COMMON_PARAMETERS,
  type CommonTerms,
  type CommonWishes,
  type ParameterReader,
  type ParameterTable,
  readParameters,
  takesNone,
} from "../parameters.ts";
import { decodeUtf8Xtext, decodeXtext } from "./xtext.ts";

/** Parameters of MAIL FROM, each as if it were missing until it is read. */
export type MailWishes = CommonWishes & {
  /** REQUIRETLS (RFC 8689). */
  requireTls: boolean;
  /** HOLDFOR or HOLDUNTIL (RFC 4865); null = now. */
  releaseAt: Instant | null;
  /** RET (RFC 3461 section 4.3). */
  returnContent: QueuedMessage["returnContent"];
  /** ENVID (section 4.4), decoded; empty = none. */
  envelopeId: string;
};

/** Parameters of RCPT TO (RFC 3461 sections 4.1 and 4.2). `originalRecipient` is `type;address`, decoded; empty = none. */
export type RecipientWishes = { notify: readonly NotifyOccasion[] | null; originalRecipient: string };

export type MailTerms = CommonTerms & {
  readonly now: Instant;
  /** Whether the connection has TLS. */
  readonly secure: boolean;
};

/** How far ahead a message may be released, as for Send. */
export const MAX_AHEAD_MS = 60 * DAY_MS;

/** RFC 3461 section 4.4: characters as they are on the wire. */
const MAX_ENVID = 100;
/** RFC 3461 section 4.2. */
const MAX_ORCPT = 500;

const requireTls: ParameterReader<MailWishes, MailTerms> = (wishes, value, { secure }) => {
  if (value !== null) return takesNone("REQUIRETLS");
  wishes.requireTls = true;
  // RFC 8689 section 2: the extension is there only over TLS.
  return secure ? undefined : { code: 530, enhancedCode: "5.7.10", text: "REQUIRETLS needs a connection with TLS" };
};

const holdUntil = (wishes: MailWishes, at: Instant, now: Instant): Refusal | undefined => {
  if (wishes.releaseAt !== null) return badParameter("HOLDFOR and HOLDUNTIL exclude each other");
  if (at - now > MAX_AHEAD_MS) return badParameter(`A message is held for ${MAX_AHEAD_MS / DAY_MS} days at most`);
  wishes.releaseAt = at;
  return undefined;
};

/** RFC 3339 section 5.6, date-time, which erratum 2040 of RFC 4865 says is meant. */
const DATE_TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/** Undefined when it is none. A day that its month does not have rolls over in the language, so it is compared. */
const dateTime = (text: string): Instant | undefined => {
  const at = DATE_TIME.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN;
  const day = Date.parse(`${text.slice(0, 10)}T00:00:00Z`);
  return Number.isNaN(at) || Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== text.slice(0, 10) ? undefined : at;
};

const MAIL: ParameterTable<MailWishes, MailTerms> = {
  ...COMMON_PARAMETERS,
  REQUIRETLS: requireTls,
  // RFC 4954 section 5: whoever is trusted to say it may say who the author was; nobody is.
  AUTH: (_wishes, value) =>
    value !== null && (value === "<>" || decodeXtext(value) !== undefined) ? undefined : badParameter("AUTH is not xtext"),
  HOLDFOR: (wishes, value, { now }) => {
    if (value === null || !/^[1-9]\d{0,8}$/.test(value)) return badParameter("HOLDFOR is a number of seconds");
    return holdUntil(wishes, now + Number(value) * 1_000, now);
  },
  HOLDUNTIL: (wishes, value, { now }) => {
    const at = value === null ? undefined : dateTime(value);
    return at === undefined ? badParameter("HOLDUNTIL is not a date and time of RFC 3339") : holdUntil(wishes, at, now);
  },
  RET: (wishes, value) => {
    const upper = value?.toUpperCase();
    if (upper !== "FULL" && upper !== "HDRS") return badParameter("RET is FULL or HDRS");
    wishes.returnContent = upper === "FULL" ? "full" : "headers";
    return undefined;
  },
  ENVID: (wishes, value) => {
    const decoded = value === null || value.length > MAX_ENVID ? undefined : decodeXtext(value);
    if (decoded === undefined) return badParameter(`ENVID is not xtext of up to ${MAX_ENVID} characters`);
    wishes.envelopeId = decoded;
    return undefined;
  },
};

const notify: ParameterReader<RecipientWishes, undefined> = (wishes, value) => {
  const words = value === null ? [] : value.toLowerCase().split(",");
  const occasions = NOTIFY_OCCASIONS.filter((occasion) => words.includes(occasion));
  const isNever = words.length === 1 && words[0] === "never";
  if (!isNever && (words.length === 0 || new Set(words).size !== words.length || occasions.length !== words.length)) {
    return badParameter("NOTIFY is NEVER, or some of SUCCESS, FAILURE and DELAY");
  }
  wishes.notify = occasions;
  return undefined;
};

const RCPT: ParameterTable<RecipientWishes, undefined> = {
  NOTIFY: notify,
  ORCPT: (wishes, value) => {
    const given = value === null || value.length > MAX_ORCPT ? "" : value;
    const [, type = "", address = ""] = /^([A-Za-z0-9-]{1,40});(.+)$/u.exec(given) ?? [];
    const decoded = type.toLowerCase() === "utf-8" ? decodeUtf8Xtext(address) : decodeXtext(address);
    if (decoded === undefined || decoded === "") return badParameter("ORCPT is not an address type, a semicolon and an address in xtext");
    wishes.originalRecipient = `${type};${decoded}`;
    return undefined;
  },
};

/** What MAIL FROM asks for, or why it is refused. */
export const mailWishes = (command: PathCommand, terms: MailTerms): MailWishes | Refusal =>
  readParameters(
    command,
    MAIL,
    { size: 0, smtpUtf8: false, requireTls: false, releaseAt: null, returnContent: null, envelopeId: "" },
    terms,
  );

/** What RCPT TO asks for, or why it is refused. */
export const recipientWishes = (command: PathCommand): RecipientWishes | Refusal =>
  readParameters<RecipientWishes, undefined>(command, RCPT, { notify: null, originalRecipient: "" }, undefined);
