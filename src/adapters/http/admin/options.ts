/** What the admin API needs of the rest of the system. */
import type { Directory } from "../../../domain/account/account.ts";
import type { Clock } from "../../../domain/clock.ts";
import type { ContentStore, EventLog } from "../../../domain/event-log.ts";
import type { Identity } from "../../../domain/identity.ts";
import type { callOperations, HoldRuleOperations, QueueOperations } from "../../../domain/operations/operations.ts";
import type { SuppressionList } from "../../../domain/recipient/service.ts";
import type { AdminQueries, ParseCursor, ViewsState } from "./queries.ts";

/** Parts that the routes work with. */
export type AdminParts = {
  readonly queries: AdminQueries;
  readonly parseCursor: ParseCursor;
  readonly views: ViewsState;
  readonly log: Pick<EventLog, "read" | "subscribe" | "head">;
  readonly content: Pick<ContentStore, "open">;
  readonly queue: QueueOperations;
  readonly calls: ReturnType<typeof callOperations>;
  readonly holdRules: HoldRuleOperations;
  readonly suppressions: SuppressionList;
  readonly directory: Pick<Directory, "account">;
  /** Names of the configured transports. */
  readonly transports: ReadonlySet<string>;
  readonly clock: Clock;
};

/** Who does what is done over this API: it has one login. */
export const ADMIN: Identity = { kind: "operator", name: "admin" };
