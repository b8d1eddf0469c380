/** One recipient of one account: a plain fold, for it has no life that a chart would explain. */
import type { Instant } from "../clock.ts";
import type { EventReference, Identity } from "../identity.ts";
import type { SuppressionDecision } from "../message/events.ts";
import type { RecipientEvent } from "./events.ts";

/** Failures in a row: how many messages, and the streams of those. */
type Row = { readonly failures: number; readonly failed: ReadonlySet<string> };

export type RecipientState = {
  readonly contacted: boolean;
  /** Failed messages in a row. */
  readonly failures: number;
  /** Their streams: a message counts once, however many DSNs say that it failed. */
  readonly failed: ReadonlySet<string>;
  /** The row that the last delivery ended, and the message's stream: a DSN may yet say that it was none. */
  readonly ended: (Row & { readonly by: string }) | undefined;
  /** When the last of them failed; 0 when none did. */
  readonly failedAt: Instant;
  /** Id of the entry on the suppression list; undefined when it is not on it. */
  readonly suppressionId: number | undefined;
  /** Causes already dealt with, so that a reaction that runs again changes nothing. */
  readonly causes: ReadonlySet<string>;
};

export const unknownRecipient: RecipientState = {
  contacted: false,
  failures: 0,
  failed: new Set(),
  ended: undefined,
  failedAt: 0,
  suppressionId: undefined,
  causes: new Set(),
};

const key = ({ stream, revision }: EventReference): string => `${stream}@${revision}`;

/** The row that a failure of this message prolongs: the one that its own delivery ended, if a next hop took it and then failed. */
const rowOf = (state: RecipientState, stream: string): Row => (state.ended?.by === stream ? state.ended : state);

/** Other messages to this recipient that failed in a row before the one of this stream did. */
export const failuresBefore = (state: RecipientState, stream: string): number => {
  const { failures, failed } = rowOf(state, stream);
  return failed.has(stream) ? failures - 1 : failures;
};

const withCause = ({ causes }: RecipientState, cause: EventReference): ReadonlySet<string> => new Set([...causes, key(cause)]);

/** Folds one event. */
export const evolveRecipient = (state: RecipientState, event: RecipientEvent): RecipientState => {
  switch (event.type) {
    case "RecipientContacted":
      return { ...state, contacted: true };
    case "RecipientDeliveryFailed": {
      const failed = new Set([...rowOf(state, event.cause.stream).failed, event.cause.stream]);
      return { ...state, failures: event.failures, failed, ended: undefined, failedAt: event.at, causes: withCause(state, event.cause) };
    }
    case "RecipientDeliveryRecovered": {
      const ended = { by: event.cause.stream, failures: state.failures, failed: state.failed };
      return { ...state, failures: 0, failed: new Set(), ended, causes: withCause(state, event.cause) };
    }
    case "SuppressionAdded":
      return { ...state, suppressionId: event.id, causes: event.cause === null ? state.causes : withCause(state, event.cause) };
    case "SuppressionRemoved":
      // A fresh start: what failed before must not suppress the address again at the next failure.
      return { ...state, suppressionId: undefined, failures: 0, failed: new Set(), ended: undefined };
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
  /** Somebody complained; that lists the address, and says nothing about deliveries. */
  | { readonly type: "noteComplaint"; readonly address: string; readonly reason: string; readonly cause: EventReference }
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
        failures: failuresBefore(state, command.cause.stream) + 1,
        cause: command.cause,
      };
      if (command.suppress === null || state.suppressionId !== undefined) return [failed];
      const by = { kind: "system", name: command.suppress.rule } as const;
      return [failed, add(command.address, false, command.suppress.reason, command.cause, by)];
    }
    case "noteComplaint":
      if (state.suppressionId !== undefined || state.causes.has(key(command.cause))) return [];
      return [add(command.address, false, command.reason, command.cause, { kind: "system", name: "complaint" })];
    case "noteDelivery":
      // One before the last failure needed no note in its time; told of again, it must not undo what came after it.
      if (state.failures === 0 || command.at < state.failedAt || state.causes.has(key(command.cause))) return [];
      if (state.failed.has(command.cause.stream)) return []; // a DSN has taken it back since
      return [{ type: "RecipientDeliveryRecovered", ...common, at: command.at, cause: command.cause }];
    case "suppress":
      return state.suppressionId === undefined ? [add(command.address, command.manual, command.reason, null, command.by)] : [];
    case "unsuppress":
      return state.suppressionId === undefined ? [] : [{ type: "SuppressionRemoved", ...common, id: state.suppressionId, by: command.by }];
  }
};
