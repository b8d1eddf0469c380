/**
 * How every event of this system is stored. A changed shape needs a new version: change the schema, add an upcaster that
 * makes the old data fit, and keep an example of the old data in the tests.
 *
 * Imports zod and nothing else that weighs: any thread may use it.
 */
import type { ZodType } from "zod";
import type { DomainEvent, DomainEventType } from "../../domain/events.ts";
import { eventCodec, type EventCodec, type EventFormat } from "./event-codec.ts";
import { holdRuleSchemas } from "./schemas/holdrule.ts";
import { messageSchemas } from "./schemas/message.ts";
import { receivedSchemas } from "./schemas/received.ts";
import { recipientSchemas } from "./schemas/recipient.ts";
import { webhookSchemas } from "./schemas/webhook.ts";
import { upcasters } from "./upcasters.ts";

/** Current shape of every event type. */
export const eventSchemas = {
  ...messageSchemas,
  ...webhookSchemas,
  ...recipientSchemas,
  ...holdRuleSchemas,
  ...receivedSchemas,
} satisfies { readonly [Type in DomainEventType]: ZodType };

const formats = Object.fromEntries(
  Object.entries(eventSchemas).map(([type, schema]) => [type, { schema, upcasters: upcasters[type as DomainEventType] ?? [] }]),
) as unknown as { readonly [Type in DomainEventType]: EventFormat };

export type DomainEventCodec = EventCodec<DomainEvent>;

/** Encodes and decodes the events of the domain. */
export const codec: DomainEventCodec = eventCodec<DomainEvent>(formats);
