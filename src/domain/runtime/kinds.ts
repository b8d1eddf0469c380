/** The kinds of actors, each put together from its folder's pure parts. */
import type { HoldRuleEvent } from "../holdrule/events.ts";
import { decideHoldRules, evolveHoldRules, noHoldRules, type HoldRuleCommand, type HoldRules } from "../holdrule/hold-rules.ts";
import type { MessageCommand, MessageTerms } from "../message/commands.ts";
import { decideMessage } from "../message/decide.ts";
import type { MessageEvent } from "../message/events.ts";
import { advanceMessage, canBefallMessage, unbornMessage, type MessageEffect, type MessageState } from "../message/machine.ts";
import type { ReceivedCommand, ReceivedTerms } from "../received/commands.ts";
import { decideReceived } from "../received/decide.ts";
import type { ReceivedEvent } from "../received/events.ts";
import { canBefallReceived, evolveReceived, unbornReceived, type ReceivedState } from "../received/machine.ts";
import type { RecipientEvent } from "../recipient/events.ts";
import {
  decideRecipient,
  evolveRecipient,
  unknownRecipient,
  type RecipientCommand,
  type RecipientState,
  type RecipientTerms,
} from "../recipient/recipient.ts";
import type { WebhookCommand, WebhookTerms } from "../webhook/commands.ts";
import { decideWebhook } from "../webhook/decide.ts";
import type { WebhookEvent } from "../webhook/events.ts";
import { advanceWebhook, canBefallWebhook, unbornWebhook, type WebhookEffect, type WebhookState } from "../webhook/machine.ts";
import type { ActorKind, ActorRuntime } from "./actor.ts";

export const messageKind: ActorKind<MessageState, MessageCommand, MessageEvent, MessageEffect, MessageTerms> = {
  unborn: unbornMessage,
  decide: decideMessage,
  can: canBefallMessage,
  advance: advanceMessage,
  isDone: ({ value }) => value === "removed",
};

export const webhookKind: ActorKind<WebhookState, WebhookCommand, WebhookEvent, WebhookEffect, WebhookTerms> = {
  unborn: unbornWebhook,
  decide: decideWebhook,
  can: canBefallWebhook,
  advance: advanceWebhook,
  isDone: ({ value }) => value === "removed",
};

export const receivedKind: ActorKind<ReceivedState, ReceivedCommand, ReceivedEvent, never, ReceivedTerms> = {
  unborn: unbornReceived,
  decide: decideReceived,
  can: canBefallReceived,
  advance: (state, event) => [evolveReceived(state, event), []],
  isDone: ({ value }) => value === "deleted",
};

export const recipientKind: ActorKind<RecipientState, RecipientCommand, RecipientEvent, never, RecipientTerms> = {
  unborn: unknownRecipient,
  decide: decideRecipient,
  can: () => true,
  advance: (state, event) => [evolveRecipient(state, event), []],
  isDone: () => false,
};

export const holdRulesKind: ActorKind<HoldRules, HoldRuleCommand, HoldRuleEvent, never, { readonly now: number; readonly id: number }> = {
  unborn: noHoldRules,
  decide: decideHoldRules,
  can: () => true,
  advance: (state, event) => [evolveHoldRules(state, event), []],
  isDone: () => false,
};

export type Messages = ActorRuntime<MessageState, MessageCommand, MessageEvent, MessageEffect>;
export type Webhooks = ActorRuntime<WebhookState, WebhookCommand, WebhookEvent, WebhookEffect>;
export type ReceivedMessages = ActorRuntime<ReceivedState, ReceivedCommand, ReceivedEvent, never>;
export type Recipients = ActorRuntime<RecipientState, RecipientCommand, RecipientEvent, never>;
export type HoldRuleSet = ActorRuntime<HoldRules, HoldRuleCommand, HoldRuleEvent, never>;
