/**
 * Finds the messages that a report is about: by the unique MAIL FROM that it was sent to, by the envelope id that went out
 * with the message, or by the Message-ID of what it returns together with the recipient. Only messages of the account that
 * got the report count, and only such as were tried at least once.
 */
import type { Directory } from "../account/account.ts";
import { parseAddress, tagOf } from "../address.ts";
import { messageStream, type MatchedBy, type QueuedMessage } from "../message/events.ts";
import type { RecipientReport, Report } from "../received/report.ts";
import type { Messages } from "../runtime/kinds.ts";
import type { MessageLookup, ReadModel } from "../runtime/read-model.ts";
import { decodedXtext } from "../xtext.ts";
import type { ReceivedFact } from "./facts.ts";

type Arrived = ReceivedFact["event"];
type Dsn = Extract<Report, { kind: "dsn" }>;
type Complaint = Extract<Report, { kind: "complaint" }>;

/** A message that a report is about. */
export type Match = { readonly message: QueuedMessage; readonly matchedBy: MatchedBy };

/** A match, with what a DSN says about it: undefined when it is no DSN, or none that speaks of exactly this recipient. */
export type DsnMatch = Match & { readonly block: RecipientReport | undefined };

export type Matching = {
  /** What arrived is no complaint. Also a message that is no report matches when it came to a unique MAIL FROM. */
  readonly dsn: (arrived: Arrived) => Promise<readonly DsnMatch[]>;
  readonly complaint: (report: Complaint, arrived: Arrived) => Promise<readonly Match[]>;
};

/** Other systems may change the case of what they got. */
const sameAddress = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** What a DSN says about each of these messages: by the original recipient, to whom this server sent, else by the final one. */
const blocksByMessage = (report: Dsn, known: readonly MessageLookup[]): ReadonlyMap<number, readonly RecipientReport[]> => {
  const byMessage = new Map<number, RecipientReport[]>();
  const of = (address: string) => (address === "" ? [] : known.filter(({ recipient }) => sameAddress(address, recipient)));
  for (const block of report.recipients) {
    const { originalRecipient, finalRecipient } = block;
    const named = [originalRecipient, decodedXtext(originalRecipient), finalRecipient].map(of);
    for (const { id } of named.find((those) => those.length > 0) ?? []) {
      byMessage.set(id, [...(byMessage.get(id) ?? []), block]);
    }
  }
  return byMessage;
};

/** Several blocks about one message: an alias at the other end was expanded, and none of them speaks for it. */
const only = (blocks: readonly RecipientReport[] | undefined): RecipientReport | undefined =>
  blocks?.length === 1 ? blocks[0] : undefined;

/** Messages that a complaint names. */
const complainedOf = (report: Complaint, known: readonly MessageLookup[], matchedBy: MatchedBy): readonly MessageLookup[] => {
  const named = known.filter(({ recipient }) => report.originalRecipients.some((original) => sameAddress(original, recipient)));
  // Many feeds hide whose complaint it is (RFC 6590). With one recipient there is little doubt, and such a match lists nobody.
  return named.length === 0 && known.length === 1 && matchedBy === "message-id" ? known : named;
};

type Way = { readonly matchedBy: MatchedBy; readonly known: readonly MessageLookup[] };

/** Messages with this envelope id, then those with this Message-ID. */
const waysBesidesFromId = (
  readModel: ReadModel,
  { originalEnvelopeId, returned: { messageId } }: Report,
  account: string,
): readonly Way[] => {
  const envelopeIds = new Set([originalEnvelopeId, decodedXtext(originalEnvelopeId)].filter((envelopeId) => envelopeId !== ""));
  return [
    ...[...envelopeIds].map((envelopeId): Way => ({
      matchedBy: "envelope-id",
      known: readModel.messagesOfEnvelope(account, envelopeId),
    })),
    ...(messageId === "" ? [] : [{ matchedBy: "message-id", known: readModel.messagesOfMessageId(account, messageId) } as const]),
  ];
};

export const matching = (options: {
  readonly messages: Messages;
  readonly readModel: ReadModel;
  readonly directory: Directory;
}): Matching => {
  const { messages, readModel, directory } = options;

  const load = async (ids: readonly number[], { account }: Arrived, matchedBy: MatchedBy): Promise<readonly Match[]> => {
    const states = await Promise.all(ids.map((id) => messages.load(messageStream(id))));
    return states.flatMap(({ state: { value, context } }) => {
      const { message, attempts } = context;
      return message?.account === account && attempts > 0 && value !== "removed" ? [{ message, matchedBy }] : [];
    });
  };

  const byFromId = async (fromId: string, arrived: Arrived): Promise<Match | undefined> => {
    const id = fromId === "" ? undefined : readModel.messageOfFromId(fromId);
    return id === undefined ? undefined : (await load([id], arrived, "fromid"))[0];
  };

  /** The fromid in the MAIL FROM that a complaint tells of. */
  const fromIdOf = ({ originalMailFrom }: Complaint): string => {
    const address = parseAddress(originalMailFrom);
    const separator = address === undefined ? undefined : directory.domain(address.domain)?.catchAllSeparator;
    return address === undefined || !separator ? "" : tagOf(address, separator);
  };

  const dsn: Matching["dsn"] = async (arrived) => {
    const { report, tag } = arrived;
    const isDsn = report?.kind === "dsn";
    const own = await byFromId(tag, arrived);
    if (own !== undefined) return [{ ...own, block: only(isDsn ? report.recipients : []) }];
    if (!isDsn) return [];
    for (const { matchedBy, known } of waysBesidesFromId(readModel, report, arrived.account)) {
      const blocks = blocksByMessage(report, known);
      const matches = await load([...blocks.keys()], arrived, matchedBy);
      if (matches.length > 0) return matches.map((match) => ({ ...match, block: only(blocks.get(match.message.id)) }));
    }
    return [];
  };

  const complaint: Matching["complaint"] = async (report, arrived) => {
    const own = (await byFromId(arrived.tag, arrived)) ?? (await byFromId(fromIdOf(report), arrived));
    if (own !== undefined) return [own];
    for (const { matchedBy, known } of waysBesidesFromId(readModel, report, arrived.account)) {
      const ids = complainedOf(report, known, matchedBy).map(({ id }) => id);
      const matches = await load(ids, arrived, matchedBy);
      if (matches.length > 0) return matches;
    }
    return [];
  };

  return { dsn, complaint };
};
