/** One recipient of one account: a plain fold, for it has no life that a chart would explain. */
import type { Instant } from "../clock.ts";
import type { EventReference, Identity } from "../identity.ts";
import type { SuppressionDecision } from "../message/events.ts";
import type { RecipientEvent } from "./events.ts";

export type RecipientState = {
  readonly contacted: boolean;
  /** Failed messages in a row. */
  readonly failures: number;
  /** When the last of them failed; 0 when none did. */
  readonly failedAt: Instant;
  /** Id of the entry on the suppression list; undefined when it is not on it. */
  readonly suppressionId: number | undefined;
  /** Causes already dealt with, so that a reaction that runs again changes nothing. */
  readonly causes: ReadonlySet<string>;
};

export const unknownRecipient: RecipientState = { contacted: false, failures: 0, failedAt: 0, suppressionId: undefined, causes: new Set() };

const key = ({ stream, revision }: EventReference): string => `${stream}@${revision}`;

const withCause = ({ causes }: RecipientState, cause: EventReference): ReadonlySet<string> => new Set([...causes, key(cause)]);

/** Folds one event. */
export const evolveRecipient = (state: RecipientState, event: RecipientEvent): RecipientState => {
  switch (event.type) {
    case "RecipientContacted":
      return { ...state, contacted: true };
    case "RecipientDeliveryFailed":
      return { ...state, failures: event.failures, failedAt: event.at, causes: withCause(state, event.cause) };
    case "RecipientDeliveryRecovered":
      return { ...state, failures: 0, causes: withCause(state, event.cause) };
    case "SuppressionAdded":
      return { ...state, suppressionId: event.id };
    case "SuppressionRemoved":
      // A fresh start: what failed before must not suppress the address again at the next failure.
      return { ...state, suppressionId: undefined, failures: 0 };
  }
};

export type RecipientCommand =
  | { readonly type: "contact" }
  /** A message failed for good, at `at`. `suppress`: what its failure decided about the list. */
  | {
      readonly type: "noteFailure";
      readonly address: string;
      readonly suppress: SuppressionDecision | null;
      readonly at: Instant;
      readonly cause: EventReference;
    }
  | { readonly type: "noteDelivery"; readonly at: Instant; readonly cause: EventReference }
  | { readonly type: "suppress"; readonly address: string; readonly manual: boolean; readonly reason: string; readonly by: Identity }
  | { readonly type: "unsuppress"; readonly by: Identity };

export type RecipientTerms = { readonly now: Instant; readonly account: string; readonly baseAddress: string; readonly id: number };

/** The events that a command leads to; none when it changes nothing. */
export const decideRecipient = (command: RecipientCommand, state: RecipientState, terms: RecipientTerms): readonly RecipientEvent[] => {
  const { now: at, account, baseAddress, id } = terms;
  const common = { at, account, baseAddress };
  const add = (originalAddress: string, manual: boolean, reason: string, cause: EventReference | null, by: Identity): RecipientEvent => ({
    type: "SuppressionAdded",
    ...common,
    id,
    originalAddress,
    manual,
    reason,
    cause,
    by,
  });
  switch (command.type) {
    case "contact":
      return state.contacted ? [] : [{ type: "RecipientContacted", ...common }];
    case "noteFailure": {
      if (state.causes.has(key(command.cause))) return [];
      const failed: RecipientEvent = {
        type: "RecipientDeliveryFailed",
        ...common,
        at: command.at,
        failures: state.failures + 1,
        cause: command.cause,
      };
      if (command.suppress === null || state.suppressionId !== undefined) return [failed];
      const by = { kind: "system", name: command.suppress.rule } as const;
      return [failed, add(command.address, false, command.suppress.reason, command.cause, by)];
    }
    case "noteDelivery":
      // One before the last failure needed no note in its time; told of again, it must not undo what came after it.
      if (state.failures === 0 || command.at < state.failedAt || state.causes.has(key(command.cause))) return [];
      return [{ type: "RecipientDeliveryRecovered", ...common, at: command.at, cause: command.cause }];
    case "suppress":
      return state.suppressionId === undefined ? [add(command.address, command.manual, command.reason, null, command.by)] : [];
    case "unsuppress":
      return state.suppressionId === undefined ? [] : [{ type: "SuppressionRemoved", ...common, id: state.suppressionId, by: command.by }];
  }
};
