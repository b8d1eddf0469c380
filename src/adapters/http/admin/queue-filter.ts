/** Which queued messages are meant: as a query for lists, as JSON for actions. */
import { z } from "zod";
import { asciiDomain, parseAddress } from "../../../domain/address.ts";
import { BOUNCE_CLASSES } from "../../../domain/message/bounce-class.ts";
import { refused, type Refusal } from "./answer.ts";
import { addressPattern, flagText, id, idText, instant, line } from "./parameters.ts";
import type { QueueFilter } from "./queries.ts";

/** Ids in one request. */
const MAX_IDS = 10_000;

/** The canonical form of `user@domain` or `@domain`: what messages are stored with. */
const canonical = addressPattern.transform((text, context): string => {
  const domain = text.startsWith("@") ? asciiDomain(text.slice(1)) : undefined;
  const found = domain === undefined ? parseAddress(text)?.text : `@${domain}`;
  if (found !== undefined) return found;
  context.addIssue({ code: "custom", message: "expected user@domain or @domain" });
  return z.NEVER;
});

const conditions = {
  account: line.optional(),
  from: canonical.optional(),
  to: canonical.optional(),
  submittedAfter: instant.optional(),
  submittedBefore: instant.optional(),
  nextAttemptAfter: instant.optional(),
  nextAttemptBefore: instant.optional(),
  transport: line.optional(),
  state: z.enum(["queued", "held", "attempting", "uncertain"]).optional(),
  bounceClass: z.enum(BOUNCE_CLASSES).optional(),
};

const idList = z
  .string()
  .max(17 * MAX_IDS)
  .transform((text) => text.split(","))
  .pipe(z.array(idText).min(1).max(MAX_IDS));

/** Names and values of a list's query. */
export const queueFilterQuery = {
  ...conditions,
  ids: idList.optional(),
  hold: flagText.optional(),
};

/** The filter of an action. `all`: every message, said in so many words. */
export const queueFilterBody = z.strictObject({
  ...conditions,
  ids: z.array(id).min(1).max(MAX_IDS).optional(),
  hold: z.boolean().optional(),
  all: z.literal(true).optional(),
});

/** The canonical form of `user@domain` or `@domain` in a query. */
export const recipientQuery = canonical;

type Conditions = Omit<QueueFilter, "submitted" | "nextAttempt"> & {
  readonly submittedAfter?: number | undefined;
  readonly submittedBefore?: number | undefined;
  readonly nextAttemptAfter?: number | undefined;
  readonly nextAttemptBefore?: number | undefined;
};

/** The filter for the views. */
export const queueFilter = ({
  submittedAfter,
  submittedBefore,
  nextAttemptAfter,
  nextAttemptBefore,
  ...rest
}: Conditions): QueueFilter => ({
  ...rest,
  submitted: { after: submittedAfter, before: submittedBefore },
  nextAttempt: { after: nextAttemptAfter, before: nextAttemptBefore },
});

/** A filter that says what it means: conditions, or `all`, so that a mistyped or forgotten one never is everything. */
export const explicitFilter = ({ all, ...filter }: z.output<typeof queueFilterBody>): QueueFilter | Refusal => {
  const isEmpty = Object.values(filter).every((value) => value === undefined);
  if (isEmpty && all !== true) return refused("filterRequired", "the filter is empty: to mean every queued message, say all: true");
  if (!isEmpty && all === true) return refused("badRequest", "filter.all: stands beside conditions: keep one of them");
  return queueFilter(filter);
};
