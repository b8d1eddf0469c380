/** Hold rules are few and change seldom: one stream holds them all. */
import type { Instant } from "../clock.ts";
import type { Identity } from "../identity.ts";

type Event<Type extends string, Data = unknown> = { readonly type: Type; readonly at: Instant } & Readonly<Data>;

/** A message matches when all set fields match; a rule without fields holds everything. Null = not set. */
export type HoldRule = {
  readonly id: number;
  readonly account: string | null;
  /** Lower-case domain of the From address. */
  readonly senderDomain: string | null;
  /** Lower-case A-label domain. */
  readonly recipientDomain: string | null;
};

export type HoldRuleEvent =
  /** `seed` names the configuration entry that it came from, so that a restart does not add it again; empty otherwise. */
  | Event<"HoldRuleAdded", HoldRule & { readonly seed: string; readonly by: Identity }>
  | Event<"HoldRuleRemoved", { readonly id: number; readonly by: Identity }>;

export const HOLD_RULES_STREAM = "holdrules";
