/** A received message as the log tells of it. */
import { NOON } from "../../../support/samples.ts";

export const received = (id: number, subject = "Hello") =>
  ({
    type: "MessageReceived",
    at: NOON,
    id,
    account: "local",
    mailFrom: "a@b.example",
    recipient: "you@example.org",
    contentId: 1_000 + id,
    size: 100,
    from: "orders@shop.example",
    subject,
    messageId: "<1@b.example>",
    remoteAddress: "127.0.0.1",
    mailbox: "Inbox",
  }) as const;
