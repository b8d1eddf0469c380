/** What is to be done next about each message, call and piece of mail in a mailbox, and when; and which lane has waited longest. */
import { DAY_MS, type Instant } from "../domain/clock.ts";
import { batchOf } from "../domain/runtime/due-item.ts";
import type { WorkKind } from "../domain/runtime/read-model.ts";
import type { MessageRow } from "./messages.ts";
import { from, tableOf, type Derivation, type Heads } from "./projection.ts";
import type { ReceivedRow } from "./received.ts";
import type { CallRow } from "./webhook-calls.ts";

/** What kind of stream a row is about. */
export type Actor = "message" | "webhook" | "received";

export type ScheduleRow = {
  /** With `id` the stream. */
  readonly actor: Actor;
  readonly id: number;
  readonly kind: WorkKind;
  readonly lane: string;
  readonly batch: string;
  readonly dueAt: Instant;
};

export const SCHEDULE = tableOf<ScheduleRow>({
  name: "schedule",
  columns: { actor: "text", id: "integer", kind: "text", lane: "text", batch: "text", dueAt: "integer" },
  key: ["actor", "id"],
  indexes: [{ columns: ["kind", "lane", "dueAt"] }, { columns: ["kind", "dueAt"] }],
  // The end of a stream's time in the log is work that a rebuild after it does not see again.
  outsideDigest: { column: "kind", value: "delete" },
});

/** A stream stays in the log for a day at least, so that a rebuild sees the last day's usage. */
const IN_LOG_MS = DAY_MS;

type Step = Pick<ScheduleRow, "kind" | "lane" | "batch" | "dueAt">;

/** Work that is not limited by destination: the kind is the lane. */
const step = (kind: WorkKind, dueAt: Instant): Step => ({ kind, lane: kind, batch: "", dueAt });

const keeping = (row: MessageRow | CallRow): Step | undefined => {
  if (row.state === "removed") return step("delete", Math.max(row.lastActivityAt, row.queuedAt + IN_LOG_MS));
  if (row.keepUntil !== null) return step("remove", row.keepUntil);
  if (row.state === "attempting" && row.openUntil !== null) return step("interrupt", row.openUntil);
  return undefined;
};

const messageStep = (row: MessageRow): Step | undefined => {
  if (row.state !== "queued") return keeping(row);
  return { kind: "deliver", lane: row.recipientDomain, batch: batchOf(row, row.attempts), dueAt: row.nextAttemptAt };
};

const callStep = (row: CallRow): Step | undefined => {
  if (row.state !== "queued") return keeping(row);
  return { kind: "call", lane: row.host, batch: "", dueAt: row.nextAttemptAt };
};

const receivedStep = ({ deletedAt, keepUntil }: ReceivedRow): Step | undefined => {
  if (deletedAt !== null) return step("delete", deletedAt);
  return keepUntil === null ? undefined : step("remove", keepUntil);
};

const scheduled = (actor: ScheduleRow["actor"], id: number, next: Step | undefined): readonly ScheduleRow[] =>
  next === undefined ? [] : [{ actor, id, ...next }];

export const schedule: Derivation = {
  name: "schedule",
  table: SCHEDULE,
  from: [
    from("messages", (row: MessageRow): readonly ScheduleRow[] => scheduled("message", row.id, messageStep(row))),
    from("webhookCalls", (row: CallRow): readonly ScheduleRow[] => scheduled("webhook", row.id, callStep(row))),
    from("received", (row: ReceivedRow): readonly ScheduleRow[] => scheduled("received", row.id, receivedStep(row))),
  ],
};

/** A lane of the schedule, and when its first item falls due. */
export type LaneRow = { readonly kind: WorkKind; readonly lane: string; readonly dueAt: Instant };

export const LANES = tableOf<LaneRow>({
  name: "lanes",
  columns: { kind: "text", lane: "text", dueAt: "integer" },
  key: ["kind", "lane"],
  indexes: [{ columns: ["kind", "dueAt"] }],
  outsideDigest: true,
});

export const lanes: Heads = { name: "lanes", table: LANES, of: "schedule", group: ["kind", "lane"], least: "dueAt" };
