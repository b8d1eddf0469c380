/** Hold rules take hold: of what waits when a rule is added, and of what was being queued at that moment. */
import { MINUTE_MS } from "../clock.ts";
import { idMadeAt } from "../ids.ts";
import { HOLD_RULES_STREAM, type HoldRule } from "../holdrule/events.ts";
import { byRule, matchingRule } from "../holdrule/hold-rules.ts";
import { messageStream } from "../message/events.ts";
import type { HoldRuleSet, Messages } from "../runtime/kinds.ts";
import type { ReadModel } from "../runtime/read-model.ts";
import type { Batch, Reaction } from "./facts.ts";

/** A message so much younger than a rule was checked against it: no submission takes that long. */
const KNOWN_AFTER_MS = 10 * MINUTE_MS;

/** Messages put on hold at a time. */
const PAGE = 200;

export const hold = (options: {
  readonly messages: Messages;
  readonly holdRules: HoldRuleSet;
  readonly readModel: ReadModel;
}): Reaction => {
  const { messages, holdRules, readModel } = options;

  const holdBy = (id: number, rule: HoldRule): Promise<unknown> => messages.execute(messageStream(id), { type: "hold", by: byRule(rule) });

  const holdWaiting = async (rule: HoldRule): Promise<void> => {
    for (let ids = readModel.matching(rule, 0, PAGE); ids.length > 0; ids = readModel.matching(rule, ids.at(-1) ?? 0, PAGE)) {
      await Promise.all(ids.map((id) => holdBy(id, rule)));
    }
  };

  /** It was checked against the rules as they were before it was stored; whatever has happened to it since stays. */
  const holdUntouched = async (id: number, rule: HoldRule): Promise<void> => {
    const { revision } = await messages.load(messageStream(id));
    if (revision === 0) await holdBy(id, rule);
  };

  const holdLate = async ({ events, facts }: Batch): Promise<void> => {
    // Most that a rule matches were held at birth, which stands in the same append: their streams need not be read.
    const held = new Set(events.flatMap(({ event, stream }) => (event.type === "MessageHeld" ? [stream] : [])));
    const queued = facts.filter(({ event, recorded }) => event.type === "MessageQueued" && !held.has(recorded.stream));
    if (queued.length === 0) return;
    const { state } = await holdRules.load(HOLD_RULES_STREAM);
    if (state.rules.size === 0) return;
    const holds = queued.flatMap(({ message }) => {
      const rule = matchingRule(state, message);
      return rule === undefined || idMadeAt(message.id) - idMadeAt(rule.id) > KNOWN_AFTER_MS ? [] : [holdUntouched(message.id, rule)];
    });
    await Promise.all(holds);
  };

  return async (batch) => {
    const added = batch.events.flatMap(({ event }) => (event.type === "HoldRuleAdded" ? [event] : []));
    await Promise.all([holdLate(batch), ...added.map(holdWaiting)]);
    return 0;
  };
};
