/** The hold rules in force. */
import type { Instant } from "../domain/clock.ts";
import type { Recorded } from "../domain/event-log.ts";
import type { HoldRule, HoldRuleEvent } from "../domain/holdrule/events.ts";
import { erase, tableOf, type Fold } from "./projection.ts";

export type HoldRuleRow = HoldRule & { readonly seed: string; readonly addedAt: Instant };

export const HOLD_RULES = tableOf<HoldRuleRow>({
  name: "hold_rules",
  columns: { id: "integer", account: "text?", senderDomain: "text?", recipientDomain: "text?", seed: "text", addedAt: "integer" },
  key: ["id"],
  indexes: [],
});

const apply = (event: HoldRuleEvent): HoldRuleRow | undefined => {
  if (event.type === "HoldRuleRemoved") return undefined;
  const { id, account, senderDomain, recipientDomain, seed, at } = event;
  return { id, account, senderDomain, recipientDomain, seed, addedAt: at };
};

const fold: Fold<HoldRuleRow> = {
  name: "holdRules",
  tables: [HOLD_RULES],
  home: () => HOLD_RULES,
  types: ["HoldRuleAdded", "HoldRuleRemoved"],
  keys: ({ event }) => [[(event as HoldRuleEvent).id]],
  births: ({ event }) => event.type === "HoldRuleAdded",
  fold: (_row, recorded) => apply((recorded as Recorded<HoldRuleEvent>).event),
};

export const holdRules = erase(fold);
