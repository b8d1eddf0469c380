/** What the core asks of the views, as look-ups by key or index whose cost does not grow with the tables. */
import { HOUR_MS, MINUTE_MS } from "../../domain/clock.ts";
import { recipientStream } from "../../domain/recipient/events.ts";
import type { ReadModel } from "../../domain/runtime/read-model.ts";
import { numberOf, QUEUE } from "../../projections/messages.ts";
import type { Key } from "../../projections/projection.ts";
import { indexName, quoted } from "./ddl.ts";
import { dueItem, dueWork } from "./due.ts";
import type { ViewsProgress } from "./progress.ts";
import type { Reader } from "./reader.ts";
import { reportedMessages } from "./reported-messages.ts";

export const READ_MODEL_SQL = {
  nextDueAt: "SELECT min(dueAt) FROM schedule INDEXED BY schedule__kind_dueAt WHERE kind = ? AND dueAt > ?",
  openAttempts:
    "SELECT actor, id, lane, batch, dueAt FROM schedule INDEXED BY schedule__kind_dueAt WHERE kind = 'interrupt' ORDER BY dueAt, actor, id LIMIT ?",
  newestId: "SELECT id FROM newest_id WHERE one = 1",
  suppression: "SELECT addedRevision FROM suppressions WHERE account = ? AND baseAddress = ?",
  recipient: "SELECT failures, contactedAt FROM recipients WHERE account = ? AND baseAddress = ?",
  usageMinutes:
    "SELECT sum(messages), sum(firstContacts) FROM usage WHERE account = ? AND minute >= ? AND minute < ? AND (minute > ? OR lastAt > ?)",
  usageHours: "SELECT sum(messages), sum(firstContacts) FROM usage_hours WHERE account = ? AND hour > ?",
  storage: "SELECT octets FROM storage WHERE account = ?",
  content: "SELECT 1 FROM contents WHERE contentId = ? LIMIT 1",
  unfinishedCalls: `SELECT id FROM webhook_calls INDEXED BY webhook_calls__messageRef
    WHERE messageRef = ? AND state IN ('waiting', 'queued', 'attempting') ORDER BY id`,
  callsAfter: `SELECT id FROM webhook_calls INDEXED BY webhook_calls__after WHERE "after" = ? AND state = 'waiting' ORDER BY id`,
} as const;

/** A stream's row of the schedule: its name begins with the actor. */
export const scheduleKey = (stream: string): Key => {
  return [stream.slice(0, stream.indexOf("-")), numberOf(stream)];
};

const usage = (reader: Reader): ReadModel["usage"] => {
  const MINUTES = HOUR_MS / MINUTE_MS;
  return (account, after) => {
    // Whole hours after the one that the instant cuts, whole minutes of that one, and the minute that it cuts itself if
    // anything in it came later.
    const minute = Math.floor(after / MINUTE_MS);
    const hour = Math.floor(minute / MINUTES);
    const minutes = reader.first(READ_MODEL_SQL.usageMinutes, [account, minute, (hour + 1) * MINUTES, minute, after]);
    const hours = reader.first(READ_MODEL_SQL.usageHours, [account, hour]);
    return {
      messages: Number(minutes?.[0] ?? 0) + Number(hours?.[0] ?? 0),
      firstContacts: Number(minutes?.[1] ?? 0) + Number(hours?.[1] ?? 0),
    };
  };
};

/** The statement that finds what a hold rule matches, by the narrowest of the fields that are set. */
export const matchingSql = (set: readonly string[]): string => {
  const narrowest = (["recipientDomain", "senderDomain", "account"] as const).find((field) => set.includes(field));
  const index = indexName(QUEUE, narrowest === undefined ? ["hold"] : [narrowest, "hold"]);
  const conditions = [...set.map((field) => `${quoted(field)} = ?`), "hold = 0", "id > ?"];
  return `SELECT id FROM queue INDEXED BY ${index} WHERE ${conditions.join(" AND ")} ORDER BY id LIMIT ?`;
};

const matching =
  (reader: Reader): ReadModel["matching"] =>
  ({ account, senderDomain, recipientDomain }, afterId, limit) => {
    const set = Object.entries({ account, senderDomain, recipientDomain }).filter(([, value]) => value !== null);
    const sql = matchingSql(set.map(([field]) => field));
    return reader.all(sql, [...set.map(([, value]) => value), afterId, limit]).map(([id]) => Number(id));
  };

/** The read model over a reader of the views file. `forget` is the writer's part. */
export const readModel = (
  reader: Reader,
  progress: Pick<ViewsProgress, "position" | "passed" | "onAdvance">,
  forget: (key: Key) => Promise<void>,
): ReadModel => {
  const ids = (sql: string, id: number): readonly number[] => reader.all(sql, [id]).map(([value]) => Number(value));
  const recipient = (account: string, baseAddress: string) => reader.first(READ_MODEL_SQL.recipient, [account, baseAddress]);

  return {
    position: progress.position,
    passed: progress.passed,
    onAdvance: progress.onAdvance,
    due: dueWork(reader),
    nextDueAt: (kind, at) => {
      const [dueAt] = reader.first(READ_MODEL_SQL.nextDueAt, [kind, at]) ?? [];
      return typeof dueAt === "number" ? dueAt : undefined;
    },
    openAttempts: (limit) => reader.all(READ_MODEL_SQL.openAttempts, [limit]).map(dueItem),
    forget: (stream) => forget(scheduleKey(stream)),
    newestId: () => Number(reader.first(READ_MODEL_SQL.newestId)?.[0] ?? 0),
    suppression: (account, baseAddress) => {
      const found = reader.first(READ_MODEL_SQL.suppression, [account, baseAddress]);
      return found && { stream: recipientStream(account, baseAddress), revision: Number(found[0]) };
    },
    failuresInARow: (account, baseAddress) => Number(recipient(account, baseAddress)?.[0] ?? 0),
    contacted: (account, baseAddress) => typeof recipient(account, baseAddress)?.[1] === "number",
    usage: usage(reader),
    storedOctets: (account) => Number(reader.first(READ_MODEL_SQL.storage, [account])?.[0] ?? 0),
    ...reportedMessages(reader),
    unreferenced: (contentIds) => contentIds.filter((id) => reader.first(READ_MODEL_SQL.content, [id]) === undefined),
    unfinishedCalls: (messageId) => ids(READ_MODEL_SQL.unfinishedCalls, messageId),
    callsAfter: (callId) => ids(READ_MODEL_SQL.callsAfter, callId),
    matching: matching(reader),
  };
};
