/**
 * What operators and account owners can do to the queue, as commands of the application: by filter over many messages,
 * each change recorded with who asked for it. Calls answer when the views show what they changed.
 */
import type { Address } from "../address.ts";
import { baseAddress } from "../address.ts";
import type { Instant } from "../clock.ts";
import type { EventLog, Position } from "../event-log.ts";
import type { HoldRule } from "../holdrule/events.ts";
import { HOLD_RULES_STREAM } from "../holdrule/events.ts";
import type { Identity } from "../identity.ts";
import type { MessageCommand } from "../message/commands.ts";
import { messageStream } from "../message/events.ts";
import { recipientStream } from "../recipient/events.ts";
import type { SuppressionList } from "../recipient/service.ts";
import type { HoldRuleSet, Messages, Recipients, Webhooks } from "../runtime/kinds.ts";
import type { ReadModel } from "../runtime/read-model.ts";
import { webhookStream } from "../webhook/events.ts";

/** A change to a queued message that somebody asks for. */
export type QueueAction =
  | { readonly type: "hold" }
  | { readonly type: "release" }
  /** Next attempt at an instant, or moved by a duration from when it was due. */
  | { readonly type: "schedule"; readonly at: Instant }
  | { readonly type: "postpone"; readonly byMs: number }
  | { readonly type: "fail" }
  /** Out of the queue without a failure: nobody gets a DSN. */
  | { readonly type: "drop" }
  | { readonly type: "setTransport"; readonly transport: string | null }
  | { readonly type: "setRequireTls"; readonly requireTls: boolean | null };

/** What became of a bulk action. */
export type ActionReport = {
  /** Messages that matched. */
  readonly matched: number;
  /** Messages that are different now. */
  readonly changed: number;
  /** Messages that did not allow it, by the state that they were in. */
  readonly refused: Readonly<Record<string, number>>;
};

/** Finds messages: ids in ascending order above `afterId`, at most `limit`. */
export type MessageFinder = (afterId: number, limit: number) => readonly number[];

/** Messages changed at a time. */
const PAGE = 200;

export type QueueOperations = {
  /** Resolves when the views show all that has happened by now. */
  readonly caughtUp: () => Promise<void>;
  /** Does it to all messages that `find` gives once the views have caught up, at most `most` of them. */
  readonly act: (action: QueueAction, find: MessageFinder, by: Identity, most?: number) => Promise<ActionReport>;
};

const commandFor = (action: QueueAction, nextAttemptAt: Instant, by: Identity): MessageCommand => {
  switch (action.type) {
    case "hold":
    case "release":
    case "fail":
      return { type: action.type, by };
    case "drop":
      return { type: "cancel", by };
    case "schedule":
      return { type: "schedule", nextAttemptAt: action.at, by };
    case "postpone":
      return { type: "schedule", nextAttemptAt: nextAttemptAt + action.byMs, by };
    case "setTransport":
      return { ...action, by };
    case "setRequireTls":
      return { ...action, by };
  }
};

export const queueOperations = ({
  log,
  messages,
  readModel,
}: {
  readonly log: Pick<EventLog, "head">;
  readonly messages: Messages;
  readonly readModel: ReadModel;
}): QueueOperations => {
  const caughtUp = (): Promise<void> => readModel.passed(log.head());

  const one = async (id: number, action: QueueAction, by: Identity) => {
    const stream = messageStream(id);
    const { state } = await messages.load(stream);
    return messages.execute(stream, commandFor(action, state.context.nextAttemptAt, by));
  };

  const act: QueueOperations["act"] = async (action, find, by, most = Number.MAX_SAFE_INTEGER) => {
    let matched = 0;
    let changed = 0;
    let reached: Position = 0;
    const refused: Record<string, number> = {};
    // Who stops what was sent a moment ago must find it.
    await caughtUp();
    for (let after = 0; matched < most;) {
      const ids = find(after, Math.min(PAGE, most - matched));
      const turns = await Promise.all(ids.map((id) => one(id, action, by)));
      for (const turn of turns) {
        if (turn.kind === "refused") refused[turn.state.value] = (refused[turn.state.value] ?? 0) + 1;
        else if (turn.events.length > 0) changed += 1;
        if (turn.kind === "done") reached = Math.max(reached, turn.position);
      }
      matched += ids.length;
      const last = ids.at(-1);
      if (last === undefined) break;
      after = last;
    }
    await readModel.passed(reached);
    return { matched, changed, refused };
  };

  return { caughtUp, act };
};

export type CallAction = { readonly type: "cancel" } | { readonly type: "schedule"; readonly at: Instant };

/** Does something to webhook calls; ids that do not exist count as refused in state `unborn`. */
export const callOperations = ({ webhooks, readModel }: { readonly webhooks: Webhooks; readonly readModel: ReadModel }) => ({
  act: async (action: CallAction, ids: readonly number[], by: Identity): Promise<ActionReport> => {
    const commands = ids.map((id) =>
      webhooks.execute(
        webhookStream(id),
        action.type === "cancel" ? { type: "cancel", by } : { type: "schedule", nextAttemptAt: action.at, by },
      ),
    );
    let changed = 0;
    let reached: Position = 0;
    const refused: Record<string, number> = {};
    for (const turn of await Promise.all(commands)) {
      if (turn.kind === "refused") refused[turn.state.value] = (refused[turn.state.value] ?? 0) + 1;
      else if (turn.events.length > 0) changed += 1;
      if (turn.kind === "done") reached = Math.max(reached, turn.position);
    }
    await readModel.passed(reached);
    return { matched: ids.length, changed, refused };
  },
});

export type HoldRuleOperations = {
  /** Adds a rule; messages in the queue that match go on hold soon after. `exists` when there is the same one already. */
  readonly add: (rule: Omit<HoldRule, "id">, by: Identity, seed?: string) => Promise<HoldRule | "exists">;
  /** Removes a rule; what it holds stays on hold. */
  readonly remove: (id: number, by: Identity) => Promise<"removed" | "notFound">;
};

export const holdRuleOperations = ({
  holdRules,
  readModel,
}: {
  readonly holdRules: HoldRuleSet;
  readonly readModel: ReadModel;
}): HoldRuleOperations => {
  const execute = async (command: Parameters<HoldRuleSet["execute"]>[1]) => {
    const turn = await holdRules.execute(HOLD_RULES_STREAM, command);
    if (turn.kind === "refused") throw new Error("hold rules refuse nothing");
    await readModel.passed(turn.position);
    return turn.events[0];
  };
  return {
    add: async (rule, by, seed = "") => {
      const event = await execute({ type: "add", rule, seed, by });
      return event?.type === "HoldRuleAdded" ? { ...rule, id: event.id } : "exists";
    },
    remove: async (id, by) => ((await execute({ type: "remove", id, by })) === undefined ? "notFound" : "removed"),
  };
};

/** The suppression list over its recipients' streams. */
export const suppressionList = ({
  recipients,
  readModel,
}: {
  readonly recipients: Recipients;
  readonly readModel: ReadModel;
}): SuppressionList => {
  const execute = async (account: string, address: Address, command: Parameters<Recipients["execute"]>[1]): Promise<boolean> => {
    const turn = await recipients.execute(recipientStream(account, baseAddress(address)), command);
    if (turn.kind === "refused") throw new Error("recipients refuse nothing");
    await readModel.passed(turn.position);
    return turn.events.length > 0;
  };
  return {
    add: async (account, address, { manual, reason, by }) =>
      (await execute(account, address, { type: "suppress", address: address.text, manual, reason, by })) ? "added" : "alreadyPresent",
    remove: async (account, address, by) => ((await execute(account, address, { type: "unsuppress", by })) ? "removed" : "notPresent"),
    present: async (account, address) => {
      const { state } = await recipients.load(recipientStream(account, baseAddress(address)));
      return state.suppressionId !== undefined;
    },
  };
};
