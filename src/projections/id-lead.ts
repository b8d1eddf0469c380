/**
 * How far the time in ids lies from the time that what they name was queued at. Lists in the order of queueing are lists
 * in the order of ids; this bounds the ids among which those queued before or after an instant can be.
 */
import type { Recorded } from "../domain/event-log.ts";
import { idMadeAt } from "../domain/ids.ts";
import type { MessageEvent } from "../domain/message/events.ts";
import type { WebhookEvent } from "../domain/webhook/events.ts";
import { erase, tableOf, type Fold } from "./projection.ts";
import type { Actor } from "./schedule.ts";

/** When something was queued minus the time in its id, in ms: the least and the most there ever was. */
export type IdLeadRow = { readonly actor: Actor; readonly least: number; readonly most: number };

export const ID_LEAD = tableOf<IdLeadRow>({
  name: "id_lead",
  columns: { actor: "text", least: "integer", most: "integer" },
  key: ["actor"],
  indexes: [],
  outsideDigest: true,
});

type Queued = Extract<MessageEvent, { type: "MessageQueued" }> | Extract<WebhookEvent, { type: "WebhookQueued" }>;

const KEYS = { MessageQueued: [["message"]], WebhookQueued: [["webhook"]] } as const;

const apply = (row: IdLeadRow | undefined, event: Queued): IdLeadRow => {
  const lead = event.at - idMadeAt(event.id);
  if (row !== undefined && lead >= row.least && lead <= row.most) return row;
  const actor = event.type === "MessageQueued" ? "message" : "webhook";
  return { actor, least: Math.min(row?.least ?? lead, lead), most: Math.max(row?.most ?? lead, lead) };
};

const fold: Fold<IdLeadRow> = {
  name: "idLead",
  tables: [ID_LEAD],
  home: () => ID_LEAD,
  types: ["MessageQueued", "WebhookQueued"],
  keys: ({ event }) => KEYS[(event as Queued).type],
  births: () => false,
  fold: (row, recorded) => apply(row, (recorded as Recorded<Queued>).event),
};

export const idLead = erase(fold);
