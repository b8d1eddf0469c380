import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { metrics, type Metrics } from "../../../src/adapters/observability/metrics.ts";
import type { QueueReadings } from "../../../src/adapters/observability/queue-gauges.ts";
import type { AttemptResult } from "../../../src/domain/smtp-result.ts";

const NOW = 1_000_000;

const QUIET: QueueReadings = { now: () => NOW, counts: () => [], earliestDueAt: () => undefined, viewsBehind: () => 0 };

const made = (readings: Partial<QueueReadings> = {}, onError?: (error: unknown) => void): Metrics =>
  metrics({ readings: { ...QUIET, ...readings }, processMetrics: false, ...(onError === undefined ? {} : { onError }) });

/** Samples of the text as a map of `name{labels}` to value. */
const samples = async (from: Metrics): Promise<ReadonlyMap<string, number>> => {
  const lines = (await from.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
};

const result: AttemptResult = {
  startedAt: 0,
  durationMs: 1_500,
  code: 250,
  enhancedCode: "",
  error: "",
  remoteHost: "",
  remoteAddress: "",
  transport: "direct",
};

describe("the queue's gauges", () => {
  it("are read when they are asked for, and add the accounts up", async () => {
    let rows = 1;
    const readings = made({
      counts: (list) =>
        list === "queue"
          ? [
              { state: "held", rows },
              { state: "held", rows: 2 },
            ]
          : [],
    });
    assert.equal((await samples(readings)).get('posthorn_queue_messages{state="held"}'), 3);
    rows = 10;
    assert.equal((await samples(readings)).get('posthorn_queue_messages{state="held"}'), 12);
  });

  it("show 0 for the states in which nothing is", async () => {
    const values = await samples(made());
    for (const name of [
      'queue_messages{state="queued"}',
      'queue_messages{state="uncertain"}',
      'webhook_calls{state="attempting"}',
      'oldest_due_age_seconds{kind="deliver"}',
      "views_behind_positions",
      'kept_rows{list="suppressions"}',
    ]) {
      assert.equal(values.get(`posthorn_${name}`), 0, name);
    }
  });

  it("tell for how long the oldest has been due, and 0 when it lies ahead", async () => {
    const values = await samples(made({ earliestDueAt: (kind) => (kind === "deliver" ? NOW - 90_000 : NOW + 5_000) }));
    assert.equal(values.get('posthorn_oldest_due_age_seconds{kind="deliver"}'), 90);
    assert.equal(values.get('posthorn_oldest_due_age_seconds{kind="call"}'), 0);
  });

  it("are left out when they cannot be read, and the rest is answered", async () => {
    const errors: unknown[] = [];
    const broken = (): never => {
      throw new Error("views are closed");
    };
    const values = await samples(made({ counts: broken, viewsBehind: broken }, (error) => errors.push(error)));
    assert.ok([...values.keys()].every((name) => !/queue_messages|kept_rows|views_behind/u.test(name)));
    assert.equal(values.get('posthorn_oldest_due_age_seconds{kind="deliver"}'), 0);
    assert.equal(errors.length, 4);
  });
});

describe("what is recorded", () => {
  it("is counted by result", async () => {
    const recorder = made();
    recorder.delivery({ kind: "delivered", result });
    recorder.delivery({ kind: "rejected", permanent: false, result: { ...result, code: 550 } });
    recorder.delivery({ kind: "rejected", permanent: false, result: { ...result, code: 451 } });
    recorder.delivery({ kind: "rejected", permanent: true, result: { ...result, code: 0 } });
    recorder.delivery({ kind: "interrupted", reason: "" });
    recorder.call({
      kind: "answered",
      result: { startedAt: 0, durationMs: 2_000, status: 204, response: "", error: "" },
      retryAfterMs: null,
    });
    recorder.call({ kind: "answered", result: { startedAt: 0, durationMs: 1, status: 999, response: "", error: "" }, retryAfterMs: null });
    recorder.call({ kind: "unreachable", result: { startedAt: 0, durationMs: 1, status: 0, response: "", error: "" } });
    recorder.messagesQueued("webapi", 3);
    recorder.loginFailed("admin");
    recorder.suppressionAdded("delivery");
    recorder.apiCall("webapi", "Send", "ok", 2);
    const values = await samples(recorder);
    assert.equal(values.get('posthorn_delivery_attempts_total{result="delivered",transport="direct"}'), 1);
    assert.equal(values.get('posthorn_delivery_attempts_total{result="permanent_failure",transport="direct"}'), 2);
    assert.equal(values.get('posthorn_delivery_attempts_total{result="temporary_failure",transport="direct"}'), 1);
    assert.equal(values.get('posthorn_webhook_attempts_total{result="2xx"}'), 1);
    assert.equal(values.get('posthorn_webhook_attempts_total{result="other"}'), 1);
    assert.equal(values.get('posthorn_webhook_attempts_total{result="unreachable"}'), 1);
    assert.equal(values.get('posthorn_messages_queued_total{source="webapi"}'), 3);
    assert.equal(values.get('posthorn_login_failures_total{where="admin"}'), 1);
    assert.equal(values.get('posthorn_bounces_total{class="bad-address",result="permanent_failure"}'), 1);
    assert.equal(values.get('posthorn_bounces_total{class="infrastructure",result="temporary_failure"}'), 1);
    assert.equal(values.get('posthorn_suppressions_added_total{by="delivery"}'), 1);
    assert.equal(values.get('posthorn_api_calls_total{api="webapi",method="Send",result="ok"}'), 1);
  });

  it("is timed in seconds", async () => {
    const recorder = made();
    recorder.delivery({ kind: "delivered", result });
    recorder.append(2);
    recorder.commit({ events: 40, durationMs: 3 });
    const values = await samples(recorder);
    assert.equal(values.get('posthorn_delivery_attempt_seconds_sum{result="delivered"}'), 1.5);
    assert.equal(values.get("posthorn_event_append_seconds_sum"), 0.002);
    assert.equal(values.get('posthorn_event_commit_events_bucket{le="64"}'), 1);
    assert.equal(values.get('posthorn_event_commit_events_bucket{le="32"}'), 0);
  });

  it("cannot make more than a bounded number of series", async () => {
    const recorder = made();
    for (let index = 0; index < 1_000; index += 1) {
      recorder.apiCall("webapi", `Method${index}`, `result${index}`, 1);
      recorder.delivery({ kind: "delivered", result: { ...result, transport: `t${index}` } });
      recorder.trouble(`"} evil ${index}\n`);
    }
    const values = await samples(recorder);
    assert.equal([...values.keys()].filter((name) => name.startsWith("posthorn_api_calls_total")).length, 65);
    assert.equal([...values.keys()].filter((name) => name.startsWith("posthorn_delivery_attempts_total")).length, 65);
    assert.equal(values.get('posthorn_troubles_total{what="other"}'), 1_000);
  });
});

describe("the registry", () => {
  it("has the process's own numbers, event loop lag among them", async () => {
    const text = await metrics({ readings: QUIET }).text();
    assert.match(text, /^nodejs_eventloop_lag_seconds /mu);
    assert.match(text, /^process_resident_memory_bytes /mu);
  });

  it("is one for each call, so that two servers in a process do not meet", async () => {
    const one = made();
    const other = made();
    one.loginFailed("smtp");
    assert.equal((await samples(other)).get('posthorn_login_failures_total{where="smtp"}'), undefined);
    assert.match(one.contentType, /^text\/plain/u);
  });
});
