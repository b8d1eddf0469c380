import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { join } from "node:path";
import fc from "fast-check";
import { viewsDigest } from "../../../src/adapters/views/digest.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../src/domain/clock.ts";
import type { ReadModel, WorkKind } from "../../../src/domain/runtime/read-model.ts";
import type { MemoryLog } from "../../support/memory-log.ts";
import { memoryReadModel } from "../../support/memory-read-model.ts";
import { ACCOUNTS, DOMAINS, ENVELOPES, MESSAGE_IDS, PEOPLE, randomLog, SENDERS, type RandomLog } from "./random-log.ts";
import { cut, directViews, inFolder, rebuilt } from "./views-folder.ts";

const logs = fc.array(fc.nat(), { minLength: 1, maxLength: 300, size: "max" }).map(randomLog);
const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

/** Another read model of the same log, by folding the state machines themselves. */
const oracle = (log: RandomLog): ReadModel => {
  const head = log.events.at(-1)?.position ?? 0;
  const model = memoryReadModel(
    { all: () => log.events, head: () => head, onChange: () => () => undefined } as unknown as MemoryLog,
    "manually",
  );
  model.catchUp();
  return model;
};

const KINDS: readonly WorkKind[] = ["deliver", "call", "interrupt", "remove"];

/** Everything that the core could ask, as one value. */
const answers = (model: ReadModel, { events, messageIds, callIds, contentIds }: RandomLog) => {
  const newestAt = Math.max(...events.map(({ event }) => event.at));
  const times = [newestAt - HOUR_MS, newestAt, newestAt + 2 * MINUTE_MS, newestAt + 9 * DAY_MS];
  const addresses = ACCOUNTS.flatMap((account) =>
    DOMAINS.flatMap((domain) => PEOPLE.map((person) => [account, `${person}@${domain}`] as const)),
  );
  const rules = [null, ...ACCOUNTS].flatMap((account) =>
    [null, ...SENDERS].flatMap((senderDomain) => [null, ...DOMAINS].map((recipientDomain) => ({ account, senderDomain, recipientDomain }))),
  );
  const envelopes = [
    ...new Set(ENVELOPES.concat(events.flatMap(({ event }) => (event.type === "MessageQueued" ? [event.envelopeId] : [])))),
  ].filter((envelopeId) => envelopeId !== "");
  const everything = { perLane: 1_000, limit: 10_000 };
  const due = (kind: WorkKind, at: number) =>
    model
      .due({ kind, at, ...everything })
      .map(({ stream, id, lane, dueAt }) => [stream, id, lane, dueAt].join(" "))
      .sort();
  return {
    due: KINDS.flatMap((kind) => times.map((at) => due(kind, at))),
    nextDueAt: KINDS.flatMap((kind) => times.map((at) => model.nextDueAt(kind, at))),
    openAttempts: model
      .openAttempts(10_000)
      .map(({ stream }) => stream)
      .sort(),
    suppressions: addresses.map((address) => model.suppression(...address)),
    failures: addresses.map((address) => model.failuresInARow(...address)),
    contacted: addresses.map((address) => model.contacted(...address)),
    usage: ACCOUNTS.flatMap((account) =>
      [0, 1, 59, 60, 61, 600, 1_439, 1_440].map((ago) => model.usage(account, newestAt - ago * MINUTE_MS)),
    ),
    byFromId: ["", ...messageIds.map((id) => `from-${id}`)].map((fromId) => model.messageOfFromId(fromId)),
    byEnvelope: ACCOUNTS.flatMap((account) => envelopes.map((envelopeId) => model.messagesOfEnvelope(account, envelopeId))),
    byMessageId: ACCOUNTS.flatMap((account) => MESSAGE_IDS.map((messageId) => model.messagesOfMessageId(account, messageId))),
    unreferenced: model.unreferenced([...new Set(contentIds)]),
    unfinishedCalls: messageIds.map((id) => model.unfinishedCalls(id)),
    callsAfter: callIds.map((id) => [...model.callsAfter(id)].sort()),
    matching: rules.map((rule) => [model.matching(rule, 0, 1_000), model.matching(rule, messageIds[0] ?? 0, 2)]),
  };
};

describe("views of any log that the charts allow", () => {
  it("answer what the state machines themselves would", async () => {
    await inFolder((folder) => {
      fc.assert(
        fc.property(logs, lengths, (log, runs) => {
          const views = directViews(join(folder, "views.db"));
          try {
            for (const run of cut(log.events, runs)) views.take(run);
            const [actual, expected] = [answers(views.model, log), answers(oracle(log), log)];
            for (const name of Object.keys(expected) as (keyof typeof expected)[]) assert.deepEqual(actual[name], expected[name], name);
          } finally {
            views.close();
          }
        }),
        { numRuns: 40, interruptAfterTimeLimit: 60_000 },
      );
    });
  });

  it("are the same however the log is cut, live and rebuilt", async () => {
    await inFolder(async (folder) => {
      const [live, bulk] = [join(folder, "live.db"), join(folder, "bulk.db")];
      await fc.assert(
        fc.asyncProperty(logs, lengths, lengths, async (log, liveRuns, bulkRuns) => {
          const views = directViews(live);
          for (const run of cut(log.events, liveRuns)) views.take(run);
          views.close();
          rebuilt(bulk, cut(log.events, bulkRuns));
          assert.equal(await viewsDigest(live), await viewsDigest(bulk));
        }),
        { numRuns: 40, interruptAfterTimeLimit: 60_000 },
      );
    });
  });

  it("have derived tables that agree with the rows they follow from", async () => {
    const views = `
      SELECT 'lanes', kind, lane, dueAt FROM lanes EXCEPT SELECT 'lanes', kind, lane, min(dueAt) FROM schedule GROUP BY kind, lane;
      SELECT kind, lane, min(dueAt) FROM schedule GROUP BY kind, lane EXCEPT SELECT kind, lane, dueAt FROM lanes;
      SELECT account, state, rows FROM counters WHERE list = 'queue' EXCEPT SELECT account, state, count(*) FROM queue GROUP BY account, state;
      SELECT account, state, count(*) FROM retired GROUP BY account, state EXCEPT SELECT account, state, rows FROM counters WHERE list = 'retired';
      SELECT account, state, count(*) FROM webhook_calls GROUP BY account, state EXCEPT SELECT account, state, rows FROM counters WHERE list = 'webhook_calls';
      SELECT account, count(*) FROM suppressions GROUP BY account EXCEPT SELECT account, rows FROM counters WHERE list = 'suppressions';
      SELECT account, octets FROM storage EXCEPT SELECT account, sum(size) FROM contents GROUP BY account;
      SELECT messageRef FROM attempts EXCEPT SELECT id FROM (SELECT id FROM queue UNION SELECT id FROM retired);
      SELECT callRef FROM webhook_attempts EXCEPT SELECT id FROM (SELECT id FROM webhook_calls UNION SELECT id FROM webhook_retired)`;
    await inFolder((folder) => {
      fc.assert(
        fc.property(logs, lengths, (log, runs) => {
          const { db, take, close } = directViews(join(folder, "views.db"));
          try {
            for (const run of cut(log.events, runs)) take(run);
            for (const sql of views.split(";")) assert.deepEqual(db.prepare(sql).all(), [], sql);
          } finally {
            close();
          }
        }),
        { numRuns: 30, interruptAfterTimeLimit: 60_000 },
      );
    });
  });
});
