/** Stored form of mail that arrived. */
import * as z from "zod";
import { event } from "./event.ts";

export const receivedSchemas = {
  MessageReceived: event("MessageReceived", {
    id: z.int(),
    account: z.string(),
    mailFrom: z.string(),
    recipient: z.string(),
    contentId: z.int(),
    size: z.int(),
    from: z.string(),
    subject: z.string(),
    messageId: z.string(),
    remoteAddress: z.string(),
    mailbox: z.string(),
  }),
};
