/** Mail that arrived for one of our addresses. */
import type { Instant } from "../clock.ts";

type Event<Type extends string, Data = unknown> = { readonly type: Type; readonly at: Instant } & Readonly<Data>;

export type ReceivedMessage = {
  readonly id: number;
  readonly account: string;
  readonly mailFrom: string;
  readonly recipient: string;
  readonly contentId: number;
  readonly size: number;
  /** Address, subject and Message-ID of the header, decoded; empty when missing. */
  readonly from: string;
  readonly subject: string;
  readonly messageId: string;
  readonly remoteAddress: string;
  readonly mailbox: string;
};

export type ReceivedEvent = Event<"MessageReceived", ReceivedMessage>;

/** Stream of one received message. */
export const receivedStream = (id: number): string => `received-${id}`;
