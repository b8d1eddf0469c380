/** Numbers for Prometheus: what main records as it happens, and what is looked up when it is asked for. */
import { collectDefaultMetrics, Counter, Histogram, Registry } from "prom-client";

import { classify } from "../../domain/message/bounce.ts";
import type { DeliveryOutcome } from "../../domain/smtp-result.ts";
import type { CallOutcome } from "../../domain/webhook/caller.ts";
import { queueGauges, type QueueReadings } from "./queue-gauges.ts";

export type MetricsOptions = {
  readonly readings: QueueReadings;
  /** Told when a reading failed; the rest is answered all the same. */
  readonly onError?: (error: unknown) => void;
  /** Also memory, CPU, garbage collection and event loop lag of the process; the default. */
  readonly processMetrics?: boolean;
};

/** Records what happened. Durations in milliseconds, as everywhere; Prometheus gets seconds. */
export type Metrics = {
  readonly messagesQueued: (source: "webapi" | "smtp", recipients: number) => void;
  /** A message from another server, or what was refused of it; `result` is a short word. */
  readonly messageReceived: (result: string) => void;
  /** A recipient for whom no mail is taken. */
  readonly recipientRefused: (reason: string) => void;
  readonly delivery: (outcome: DeliveryOutcome) => void;
  readonly call: (outcome: CallOutcome) => void;
  /** One append, from the request to its durable answer. */
  readonly append: (durationMs: number) => void;
  /** One commit of the store, with all the events that shared it. */
  readonly commit: (commit: { readonly events: number; readonly durationMs: number }) => void;
  /** One call of a method of webapi or of the admin API; `result` is `ok` or a short code. */
  readonly apiCall: (api: "webapi" | "admin", method: string, result: string, durationMs: number) => void;
  readonly loginFailed: (where: "webapi" | "admin" | "smtp") => void;
  readonly suppressionAdded: (by: "person" | "delivery") => void;
  /** Work that failed because something of our own is out of order. */
  readonly trouble: (what: string) => void;
  /** The text for `/metrics`. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
};

const SECONDS = 1_000;
const STORE_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const REMOTE_BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];

/** Values that one label may take: a mistake in what is passed must not fill Prometheus. */
const MAX_LABEL_VALUES = 64;

/** Keeps a label's values few: what comes after the first {@link MAX_LABEL_VALUES}, or is no plain word, is `other`. */
const bounded = (): ((value: string) => string) => {
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= MAX_LABEL_VALUES || !/^[\w.-]{1,64}$/u.test(value)) return "other";
    seen.add(value);
    return value;
  };
};

const deliveryResult = (outcome: DeliveryOutcome): string => {
  if (outcome.kind !== "rejected") return outcome.kind;
  const isPermanent = outcome.result.code === 0 ? outcome.permanent : outcome.result.code >= 500;
  return isPermanent ? "permanent_failure" : "temporary_failure";
};

const callResult = (outcome: CallOutcome): string => {
  if (outcome.kind !== "answered") return outcome.kind;
  const hundreds = Math.floor(outcome.result.status / 100);
  return hundreds >= 2 && hundreds <= 5 ? `${hundreds}xx` : "other";
};

const instruments = (registry: Registry) => {
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]): Counter<Label> =>
    new Counter({ name: `posthorn_${name}_total`, help, labelNames, registers: [registry] });
  const histogram = <Label extends string>(name: string, help: string, buckets: number[], ...labelNames: Label[]): Histogram<Label> =>
    new Histogram({ name: `posthorn_${name}`, help, buckets, labelNames, registers: [registry] });
  return {
    queued: counter("messages_queued", "Messages accepted, one for each recipient", "source"),
    received: counter("messages_received", "Messages that other servers brought, by what became of them", "result"),
    recipientsRefused: counter("recipients_refused", "Recipients of other servers' messages that were refused", "reason"),
    attempts: counter("delivery_attempts", "Attempts to deliver a message to a recipient", "result", "transport"),
    bounces: counter("bounces", "Attempts to deliver that were refused or failed, by class", "class", "result"),
    attemptSeconds: histogram("delivery_attempt_seconds", "Duration of attempts to deliver", REMOTE_BUCKETS, "result"),
    calls: counter("webhook_attempts", "Attempts to call a webhook", "result"),
    callSeconds: histogram("webhook_attempt_seconds", "Duration of webhook calls", REMOTE_BUCKETS, "result"),
    appendSeconds: histogram("event_append_seconds", "From the request to append events to its durable answer", STORE_BUCKETS),
    commitSeconds: histogram("event_commit_seconds", "Duration of commits of the event store", STORE_BUCKETS),
    commitEvents: histogram("event_commit_events", "Events that shared a commit", BATCH_BUCKETS),
    apiCalls: counter("api_calls", "Calls of the HTTP APIs", "api", "method", "result"),
    apiSeconds: histogram("api_call_seconds", "Duration of calls of the HTTP APIs", STORE_BUCKETS, "api", "method"),
    loginFailures: counter("login_failures", "Logins refused", "where"),
    suppressions: counter("suppressions_added", "Addresses put on a suppression list", "by"),
    troubles: counter("troubles", "Work that failed because of this server's own parts", "what"),
  };
};

/** Builds the registry with its recorders. Every label has few values; addresses, domains and accounts are none. */
export const metrics = ({ readings, onError = () => undefined, processMetrics = true }: MetricsOptions): Metrics => {
  const registry = new Registry();
  const made = instruments(registry);
  const troubled = bounded();
  const trouble = (what: string): void => void made.troubles.inc({ what: troubled(what) });
  queueGauges(registry, readings, (error) => {
    trouble("reading");
    onError(error);
  });
  if (processMetrics) collectDefaultMetrics({ register: registry });
  const transportOf = bounded();
  const methodOf = bounded();
  const resultOf = bounded();

  return {
    messagesQueued: (source, recipients) => made.queued.inc({ source }, recipients),
    messageReceived: (result) => made.received.inc({ result }),
    recipientRefused: (reason) => made.recipientsRefused.inc({ reason }),
    delivery: (outcome) => {
      const result = deliveryResult(outcome);
      const transport = outcome.kind === "interrupted" ? "" : outcome.result.transport;
      made.attempts.inc({ result, transport: transportOf(transport) });
      if (outcome.kind === "rejected") {
        const { code, enhancedCode, error } = outcome.result;
        made.bounces.inc({ class: classify(code, enhancedCode, error)?.class ?? "unknown", result });
      }
      if (outcome.kind !== "interrupted") made.attemptSeconds.observe({ result }, outcome.result.durationMs / SECONDS);
    },
    call: (outcome) => {
      const result = callResult(outcome);
      made.calls.inc({ result });
      if (outcome.kind !== "interrupted") made.callSeconds.observe({ result }, outcome.result.durationMs / SECONDS);
    },
    append: (durationMs) => made.appendSeconds.observe(durationMs / SECONDS),
    commit: ({ events, durationMs }) => {
      made.commitSeconds.observe(durationMs / SECONDS);
      made.commitEvents.observe(events);
    },
    apiCall: (api, method, result, durationMs) => {
      const label = methodOf(method);
      made.apiCalls.inc({ api, method: label, result: resultOf(result) });
      made.apiSeconds.observe({ api, method: label }, durationMs / SECONDS);
    },
    loginFailed: (where) => made.loginFailures.inc({ where }),
    suppressionAdded: (by) => made.suppressions.inc({ by }),
    trouble,
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
};
