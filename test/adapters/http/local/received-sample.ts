/** A received message as the log tells of it. */
import { aReceivedMessage, NOON } from "../../../support/samples.ts";

export const received = (id: number, subject = "Hello") =>
  ({
    type: "MessageReceived",
    at: NOON,
    ...aReceivedMessage({
      id,
      account: "local",
      mailFrom: "a@b.example",
      recipient: "you@example.org",
      contentId: 1_000 + id,
      from: "orders@shop.example",
      subject,
      messageId: "<1@b.example>",
      remoteAddress: "127.0.0.1",
      callId: 2_000 + id,
    }),
  }) as const;
