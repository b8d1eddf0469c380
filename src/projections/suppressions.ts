/** The suppression lists of all accounts, each entry with the event that caused it. */
import type { Recorded } from "../domain/event-log.ts";
import type { RecipientEvent } from "../domain/recipient/events.ts";
import type { Suppression } from "../domain/recipient/service.ts";
import { erase, tableOf, type Fold } from "./projection.ts";

/** The cause is the event that a failed delivery left, or the addition itself when a person made it. */
export type SuppressionRow = Suppression & {
  readonly causeStream: string;
  readonly causeRevision: number;
  /** Revision of the addition in the recipient's stream. */
  readonly addedRevision: number;
};

export const SUPPRESSIONS = tableOf<SuppressionRow>({
  name: "suppressions",
  columns: {
    id: "integer",
    createdAt: "integer",
    account: "text",
    baseAddress: "text",
    originalAddress: "text",
    manual: "boolean",
    reason: "text",
    causeStream: "text",
    causeRevision: "integer",
    addedRevision: "integer",
  },
  key: ["account", "baseAddress"],
  indexes: [{ columns: ["id"] }, { columns: ["account", "id"] }],
});

type ListEvent = Extract<RecipientEvent, { type: "SuppressionAdded" | "SuppressionRemoved" }>;

const apply = ({ stream, revision, event }: Recorded<ListEvent>): SuppressionRow | undefined => {
  if (event.type === "SuppressionRemoved") return undefined;
  const cause = event.cause ?? { stream, revision };
  return {
    id: event.id,
    createdAt: event.at,
    account: event.account,
    baseAddress: event.baseAddress,
    originalAddress: event.originalAddress,
    manual: event.manual,
    reason: event.reason,
    causeStream: cause.stream,
    causeRevision: cause.revision,
    addedRevision: revision,
  };
};

const fold: Fold<SuppressionRow> = {
  name: "suppressions",
  tables: [SUPPRESSIONS],
  home: () => SUPPRESSIONS,
  types: ["SuppressionAdded", "SuppressionRemoved"],
  keys: ({ event }) => {
    const { account, baseAddress } = event as ListEvent;
    return [[account, baseAddress]];
  },
  births: ({ revision }) => revision === 0,
  fold: (_row, recorded) => apply(recorded as Recorded<ListEvent>),
};

export const suppressions = erase(fold);
