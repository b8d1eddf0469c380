/** Every event that this system stores: the union that the codec and the projections must cover. */
import type { HoldRuleEvent } from "./holdrule/events.ts";
import type { MessageEvent } from "./message/events.ts";
import type { ReceivedEvent } from "./received/events.ts";
import type { RecipientEvent } from "./recipient/events.ts";
import type { WebhookEvent } from "./webhook/events.ts";

export type DomainEvent = MessageEvent | WebhookEvent | RecipientEvent | HoldRuleEvent | ReceivedEvent;

export type DomainEventType = DomainEvent["type"];
