/** The port through which messages leave: one SMTP transaction at a time, for the recipients that may share it. */
import type { QueuedMessage } from "./message/events.ts";
import type { DeliveryOutcome } from "./smtp-result.ts";

/** One recipient of a transaction. */
export type DeliveryRecipient = {
  readonly messageId: number;
  readonly address: string;
  /** As in the queued message: passed on to a next hop that offers DSN (RFC 3461 section 5.2.1). */
  readonly notify: QueuedMessage["notify"];
  readonly originalRecipient: string;
};

/**
 * What goes out in one SMTP transaction (RFC 5321 section 4.5.4.1): everything is common to its recipients but the
 * address. They share content, sender, domain, attempt, TLS requirement and transport.
 */
export type Delivery = {
  readonly account: string;
  readonly attempt: number;
  readonly mailFrom: string;
  /** Lower-case domain of the From address: routes may depend on it. */
  readonly senderDomain: string;
  readonly recipientDomain: string;
  readonly recipients: readonly DeliveryRecipient[];
  readonly contentId: number;
  readonly size: number;
  readonly requireTls: boolean | null;
  readonly smtpUtf8: boolean;
  readonly eightBit: boolean;
  /** Transport set by an operator; null = the routes decide. */
  readonly transport: string | null;
  readonly envelopeId: string;
  readonly returnContent: QueuedMessage["returnContent"];
};

/** Carries deliveries out. */
export type Courier = {
  /**
   * Tries once. Answers an outcome for every recipient, keyed by message id, and never throws: whatever goes wrong on
   * the way is an outcome. When `signal` aborts it ends the attempt soon: `interrupted` before the final dot,
   * `uncertain` after it.
   */
  readonly deliver: (delivery: Delivery, signal: AbortSignal) => Promise<ReadonlyMap<number, DeliveryOutcome>>;
  /** Longest that one call of `deliver` can take. */
  readonly deadlineMs: number;
  /** Closes kept connections. */
  readonly close: () => Promise<void>;
};
