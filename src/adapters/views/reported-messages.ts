/** Messages by what a report names them by. */
import { SECOND_MS } from "../../domain/clock.ts";
import { firstIdMadeAt, idMadeAt } from "../../domain/ids.ts";
import type { MessageLookup, ReadModel } from "../../domain/runtime/read-model.ts";
import { submissionOf } from "../../domain/submission/envelope-id.ts";
import { ENVELOPE_CHOSEN, QUEUE, REPORTABLE, RETIRED } from "../../projections/messages.ts";
import type { Table } from "../../projections/projection.ts";
import { indexName } from "./ddl.ts";
import type { Reader } from "./reader.ts";
import type { SqlValue } from "./rows.ts";

/** Messages of one submission, and a few more that borrow its Message-ID: a report is about one of them. */
const MOST = 1_000;

/** Ids of a submission's messages follow its own; even those of a hundred thousand lie within this time. */
const SUBMISSION_SPAN_MS = SECOND_MS;

type Statements = readonly [queued: string, retired: string];

const WAS_TRIED: ReadonlyMap<Table, string> = new Map([
  [QUEUE, REPORTABLE],
  [RETIRED, "attempts > 0"],
]);

const inBoth = (rest: (table: Table) => string): Statements => {
  const from = (table: Table): string =>
    `SELECT id, recipient FROM ${table.name} ${rest(table)} AND ${WAS_TRIED.get(table) ?? ""} ORDER BY id DESC LIMIT ${MOST}`;
  return [from(QUEUE), from(RETIRED)];
};

const BY_MESSAGE_ID = inBoth((table) => `INDEXED BY ${indexName(table, ["account", "messageId"])} WHERE account = ? AND messageId = ?`);

const BY_CHOSEN_ENVELOPE = inBoth(
  (table) => `INDEXED BY ${indexName(table, ["account", "envelopeId"])} WHERE account = ? AND envelopeId = ? AND ${ENVELOPE_CHOSEN}`,
);

const BY_SUBMISSION = inBoth(() => `NOT INDEXED WHERE id > ? AND id < ? AND account = ? AND envelopeId = ? AND NOT (${ENVELOPE_CHOSEN})`);

const BY_FROM_ID = [QUEUE, RETIRED].map(
  (table) => `SELECT id FROM ${table.name} INDEXED BY ${indexName(table, ["fromId"])} WHERE fromId = ? AND fromId <> '' LIMIT 1`,
);

const newestFirst = (lookups: readonly MessageLookup[]): readonly MessageLookup[] => lookups.toSorted((a, b) => b.id - a.id);

export const reportedMessages = (reader: Reader): Pick<ReadModel, "messageOfFromId" | "messagesOfEnvelope" | "messagesOfMessageId"> => {
  const found = (statements: Statements, parameters: readonly SqlValue[]): readonly MessageLookup[] =>
    statements.flatMap((sql) => reader.all(sql, parameters)).map(([id, recipient]) => ({ id: Number(id), recipient: String(recipient) }));

  return {
    messageOfFromId: (fromId) => {
      for (const sql of BY_FROM_ID) {
        const [id] = reader.first(sql, [fromId]) ?? [];
        if (typeof id === "number") return id;
      }
      return undefined;
    },
    messagesOfEnvelope: (account, envelopeId) => {
      const submissionId = submissionOf(envelopeId);
      const chosen = found(BY_CHOSEN_ENVELOPE, [account, envelopeId]);
      if (submissionId === undefined) return newestFirst(chosen);
      // Both: somebody may have chosen what is, or will be, the id of a submission that is not theirs.
      const end = firstIdMadeAt(idMadeAt(submissionId) + SUBMISSION_SPAN_MS);
      return newestFirst([...chosen, ...found(BY_SUBMISSION, [submissionId, end, account, envelopeId])]);
    },
    messagesOfMessageId: (account, messageId) => newestFirst(found(BY_MESSAGE_ID, [account, messageId])),
  };
};
