/** The actors of all kinds, with the terms on which they decide. */
import type { Directory } from "../account/account.ts";
import type { Clock } from "../clock.ts";
import type { EventLog } from "../event-log.ts";
import type { IdSource } from "../ids.ts";
import { parseRecipientStream } from "../recipient/events.ts";
import { actorRuntime } from "./actor.ts";
import {
  holdRulesKind,
  messageKind,
  receivedKind,
  recipientKind,
  webhookKind,
  type HoldRuleSet,
  type Messages,
  type ReceivedMessages,
  type Recipients,
  type Webhooks,
} from "./kinds.ts";

/** States kept in memory, per kind: of what is being worked on, not of what waits. */
const REMEMBERED = { messages: 20_000, webhooks: 10_000, received: 1_000, recipients: 1_000, holdRules: 1 } as const;

export type Actors = {
  readonly messages: Messages;
  readonly webhooks: Webhooks;
  readonly received: ReceivedMessages;
  readonly recipients: Recipients;
  readonly holdRules: HoldRuleSet;
};

export const actors = (options: {
  readonly log: EventLog;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly nextId: IdSource;
  /** A number in [0, 1). */
  readonly random: () => number;
}): Actors => {
  const { log, directory, clock, nextId, random } = options;
  const spread = (): number => random() * 2 - 1;

  const messages: Messages = actorRuntime({
    log,
    kind: messageKind,
    remember: REMEMBERED.messages,
    terms: (_stream, _command, { context: { message } }) => {
      const account = message && directory.account(message.account);
      // A message of an account that is gone is treated with the least surprise: tried again, not kept.
      const policy = {
        keepRetiredMs: account?.keepRetiredMessageMs ?? 0,
        uncertainDelivery: account?.uncertainDelivery ?? ("retry" as const),
      };
      return { now: clock.now(), spread: spread(), callIds: [nextId(), nextId()] as const, policy };
    },
  });
  const webhooks: Webhooks = actorRuntime({
    log,
    kind: webhookKind,
    remember: REMEMBERED.webhooks,
    terms: (_stream, _command, { context: { call } }) => ({
      now: clock.now(),
      spread: spread(),
      keepRetiredMs: (call && directory.account(call.account)?.keepRetiredWebhookMs) ?? 0,
    }),
  });
  const received: ReceivedMessages = actorRuntime({
    log,
    kind: receivedKind,
    remember: REMEMBERED.received,
    terms: () => ({ now: clock.now() }),
  });
  const recipients: Recipients = actorRuntime({
    log,
    kind: recipientKind,
    remember: REMEMBERED.recipients,
    terms: (stream) => ({ now: clock.now(), id: nextId(), ...parseRecipientStream(stream) }),
  });
  const holdRules: HoldRuleSet = actorRuntime({
    log,
    kind: holdRulesKind,
    remember: REMEMBERED.holdRules,
    keepsWhatIsRead: true, // every submission looks at them
    terms: () => ({ now: clock.now(), id: nextId() }),
  });
  return { messages, webhooks, received, recipients, holdRules };
};
