/** Stored form of what an account learns about an address that it writes to. */
import * as z from "zod";
import { event, eventReference, identity } from "./event.ts";

const whose = { account: z.string(), baseAddress: z.string() };

export const recipientSchemas = {
  RecipientContacted: event("RecipientContacted", whose),
  RecipientDeliveryFailed: event("RecipientDeliveryFailed", { ...whose, failures: z.int(), cause: eventReference }),
  RecipientDeliveryRecovered: event("RecipientDeliveryRecovered", { ...whose, cause: eventReference }),
  SuppressionAdded: event("SuppressionAdded", {
    ...whose,
    id: z.int(),
    originalAddress: z.string(),
    manual: z.boolean(),
    reason: z.string(),
    cause: eventReference.nullable(),
    by: identity,
  }),
  SuppressionRemoved: event("SuppressionRemoved", { ...whose, id: z.int(), by: identity }),
};
