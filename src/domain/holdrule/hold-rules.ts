/** The set of hold rules: which messages stay in the queue until somebody releases them. */
import type { Instant } from "../clock.ts";
import type { Identity } from "../identity.ts";
import type { HoldRule, HoldRuleEvent } from "./events.ts";

export type HoldRules = {
  readonly rules: ReadonlyMap<number, HoldRule>;
  /** Configuration entries that became rules once; one removed since stays removed. */
  readonly seeds: ReadonlySet<string>;
};

export const noHoldRules: HoldRules = { rules: new Map(), seeds: new Set() };

/** Folds one event. */
export const evolveHoldRules = ({ rules, seeds }: HoldRules, event: HoldRuleEvent): HoldRules => {
  const next = new Map(rules);
  switch (event.type) {
    case "HoldRuleAdded": {
      const { id, account, senderDomain, recipientDomain, seed } = event;
      next.set(id, { id, account, senderDomain, recipientDomain });
      return { rules: next, seeds: seed === "" ? seeds : new Set([...seeds, seed]) };
    }
    case "HoldRuleRemoved":
      next.delete(event.id);
      return { rules: next, seeds };
  }
};

type Described = { readonly account: string; readonly senderDomain: string; readonly recipientDomain: string };

const agrees = (wanted: string | null, actual: string): boolean => wanted === null || wanted === actual;

/** Whether a rule matches: all of its set fields do. */
export const ruleMatches = (rule: HoldRule, message: Described): boolean =>
  agrees(rule.account, message.account) &&
  agrees(rule.senderDomain, message.senderDomain) &&
  agrees(rule.recipientDomain, message.recipientDomain);

/** The first rule that matches, by age. */
export const matchingRule = ({ rules }: HoldRules, message: Described): HoldRule | undefined => {
  for (const rule of rules.values()) if (ruleMatches(rule, message)) return rule;
  return undefined;
};

/** How a rule signs the holds that it causes. */
export const byRule = (rule: HoldRule): Identity => ({ kind: "holdrule", name: `${rule.id}` });

export type HoldRuleCommand =
  | { readonly type: "add"; readonly rule: Omit<HoldRule, "id">; readonly seed: string; readonly by: Identity }
  | { readonly type: "remove"; readonly id: number; readonly by: Identity };

/** The events that a command leads to; none for a rule that is there, or not there, already. */
export const decideHoldRules = (
  command: HoldRuleCommand,
  { rules, seeds }: HoldRules,
  { now: at, id }: { readonly now: Instant; readonly id: number },
): readonly HoldRuleEvent[] => {
  if (command.type === "remove") return rules.has(command.id) ? [{ type: "HoldRuleRemoved", at, id: command.id, by: command.by }] : [];
  const { account, senderDomain, recipientDomain } = command.rule;
  const same = (rule: HoldRule): boolean =>
    rule.account === account && rule.senderDomain === senderDomain && rule.recipientDomain === recipientDomain;
  if ([...rules.values()].some(same) || (command.seed !== "" && seeds.has(command.seed))) return [];
  return [{ type: "HoldRuleAdded", at, id, account, senderDomain, recipientDomain, seed: command.seed, by: command.by }];
};
