/** Stored form of changes to the hold rules. */
import * as z from "zod";
import { event, identity } from "./event.ts";

export const holdRuleSchemas = {
  HoldRuleAdded: event("HoldRuleAdded", {
    id: z.int(),
    account: z.string().nullable(),
    senderDomain: z.string().nullable(),
    recipientDomain: z.string().nullable(),
    seed: z.string(),
    by: identity,
  }),
  HoldRuleRemoved: event("HoldRuleRemoved", { id: z.int(), by: identity }),
};
