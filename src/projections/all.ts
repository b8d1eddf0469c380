/** The list of everything that the views are made of, and the version of what it means. */
import { attempts } from "./attempts.ts";
import { contents, storage } from "./contents.ts";
import { counters } from "./counters.ts";
import { feedback } from "./feedback.ts";
import { holdRules } from "./hold-rules.ts";
import { idLead } from "./id-lead.ts";
import { messages } from "./messages.ts";
import { newestId } from "./newest-id.ts";
import type { Projections, Table } from "./projection.ts";
import { received } from "./received.ts";
import { recipients } from "./recipients.ts";
import { lanes, schedule } from "./schedule.ts";
import { suppressions } from "./suppressions.ts";
import { usage, usageHours } from "./usage.ts";
import { webhookAttempts } from "./webhook-attempts.ts";
import { webhookCalls } from "./webhook-calls.ts";

/**
 * Raise it when a fold gives other rows for the same events: views of another version are thrown away and built anew.
 * Changed tables and indexes are noticed without it.
 */
export const PROJECTIONS_VERSION = 1;

export const ALL: Projections = {
  folds: [
    messages,
    attempts,
    feedback,
    webhookCalls,
    webhookAttempts,
    recipients,
    suppressions,
    holdRules,
    received,
    usage,
    idLead,
    newestId,
  ],
  derivations: [schedule],
  tallies: [counters, contents, storage, usageHours],
  heads: [lanes],
};

/** All tables, each once. */
export const tablesOf = ({ folds, derivations, tallies, heads }: Projections): readonly Table[] => [
  ...folds.flatMap(({ tables }) => tables),
  ...[...derivations, ...tallies, ...heads].map(({ table }) => table),
];
