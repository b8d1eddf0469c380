/** Which messages hold rules match, and how the set of rules changes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HoldRule, HoldRuleEvent } from "../../../src/domain/holdrule/events.ts";
import {
  byRule,
  decideHoldRules,
  evolveHoldRules,
  matchingRule,
  noHoldRules,
  ruleMatches,
  type HoldRules,
} from "../../../src/domain/holdrule/hold-rules.ts";
import { NOON, operator } from "../../support/samples.ts";

const message = { account: "shop", senderDomain: "shop.example", recipientDomain: "there.example" };

const aRule = (changes: Partial<HoldRule> = {}): HoldRule => ({
  id: 7,
  account: null,
  senderDomain: null,
  recipientDomain: null,
  ...changes,
});

const added = (rule: HoldRule, seed = ""): HoldRuleEvent => ({ type: "HoldRuleAdded", at: NOON, ...rule, seed, by: operator });
const removed = (id: number): HoldRuleEvent => ({ type: "HoldRuleRemoved", at: NOON, id, by: operator });

const after = (...events: readonly HoldRuleEvent[]): HoldRules => events.reduce(evolveHoldRules, noHoldRules);

describe("a hold rule", () => {
  it("without fields matches everything", () => {
    assert.ok(ruleMatches(aRule(), message));
  });

  const right = { account: "shop", senderDomain: "shop.example", recipientDomain: "there.example" };
  const wrong = { account: "other", senderDomain: "other.example", recipientDomain: "elsewhere.example" };
  const choices = ["unset", "right", "wrong"] as const;
  for (const account of choices) {
    for (const senderDomain of choices) {
      for (const recipientDomain of choices) {
        const fields = { account, senderDomain, recipientDomain };
        const matches = !Object.values(fields).includes("wrong");
        it(`with ${account} account, ${senderDomain} sender domain and ${recipientDomain} recipient domain ${matches ? "matches" : "does not match"}`, () => {
          const value = (field: keyof typeof fields): string | null =>
            ({ unset: null, right: right[field], wrong: wrong[field] })[fields[field]];
          const rule = aRule({ account: value("account"), senderDomain: value("senderDomain"), recipientDomain: value("recipientDomain") });
          assert.equal(ruleMatches(rule, message), matches);
        });
      }
    }
  }

  it("does not take an empty field for an unset one", () => {
    assert.ok(!ruleMatches(aRule({ senderDomain: "" }), message));
    assert.ok(ruleMatches(aRule({ senderDomain: "" }), { ...message, senderDomain: "" }));
  });

  it("signs the holds that it causes", () => {
    assert.deepEqual(byRule(aRule()), { kind: "holdrule", name: "7" });
  });
});

describe("the hold rules", () => {
  const byDomain = aRule({ id: 1, recipientDomain: "there.example" });
  const byAccount = aRule({ id: 2, account: "shop" });
  const add = (rule: HoldRule, seed = "") => {
    const { id: _, ...fields } = rule;
    return { type: "add", rule: fields, seed, by: operator } as const;
  };
  const terms = { now: NOON, id: 9 };

  it("match by age", () => {
    assert.equal(matchingRule(after(added(byDomain), added(byAccount)), message)?.id, 1);
    assert.equal(matchingRule(after(added(byDomain), added(byAccount), removed(1)), message)?.id, 2);
    assert.equal(matchingRule(after(added(byDomain)), { ...message, recipientDomain: "elsewhere.example" }), undefined);
    assert.equal(matchingRule(noHoldRules, message), undefined);
  });

  it("take a new rule under a fresh id", () => {
    assert.deepEqual(decideHoldRules(add(byDomain), noHoldRules, terms), [added({ ...byDomain, id: 9 })]);
  });

  it("do not take the same rule twice, but take it again once removed", () => {
    assert.deepEqual(decideHoldRules(add(byDomain), after(added(byDomain)), terms), []);
    assert.equal(decideHoldRules(add(byDomain), after(added(byDomain), removed(1)), terms).length, 1);
    assert.equal(decideHoldRules(add(aRule()), after(added(byDomain)), terms).length, 1);
  });

  it("take a rule of the configuration once, also when it was removed since or renamed", () => {
    const seeded = after(added(byDomain, "quarantine"), removed(1));
    assert.deepEqual(decideHoldRules(add(byDomain, "quarantine"), seeded, terms), []);
    assert.equal(decideHoldRules(add(byDomain, "other"), seeded, terms).length, 1);
    assert.equal(decideHoldRules(add(byDomain), seeded, terms).length, 1);
  });

  it("lose a rule once", () => {
    assert.deepEqual(decideHoldRules({ type: "remove", id: 1, by: operator }, after(added(byDomain)), terms), [removed(1)]);
    assert.deepEqual(decideHoldRules({ type: "remove", id: 1, by: operator }, after(added(byDomain), removed(1)), terms), []);
    assert.deepEqual(decideHoldRules({ type: "remove", id: 3, by: operator }, after(added(byDomain)), terms), []);
  });

  it("are not changed in place by what comes after", () => {
    const before = after(added(byDomain));
    evolveHoldRules(before, removed(1));
    evolveHoldRules(before, added(byAccount, "x"));
    assert.deepEqual([...before.rules.keys()], [1]);
    assert.equal(before.seeds.size, 0);
  });
});
