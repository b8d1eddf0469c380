import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { describe, it, mock } from "node:test";
import { matchingSql } from "../../../src/adapters/views/read-model.ts";
import { callLists } from "../../../src/adapters/views/queries/calls.ts";
import { histories } from "../../../src/adapters/views/queries/histories.ts";
import { lists } from "../../../src/adapters/views/queries/lists.ts";
import type { Direction, PageRequest } from "../../../src/adapters/views/queries/page.ts";
import { queueList, type QueueFilter } from "../../../src/adapters/views/queries/queue.ts";
import { retiredList } from "../../../src/adapters/views/queries/retired.ts";
import { NOON } from "../../support/samples.ts";
import { randomLog } from "./random-log.ts";
import { cut, directViews, inFolder, type DirectViews } from "./views-folder.ts";

const span = { after: NOON, before: NOON + 1 };
const requests: readonly PageRequest[] = [{ limit: 10 }, { limit: 10, after: { sort: NOON, id: 5 } }];
const directions: readonly Direction[] = ["ascending", "descending"];

const filters: readonly QueueFilter[] = [
  {},
  { ids: [1, 2] },
  { account: "shop" },
  { from: "ann@shop.example" },
  { from: "@shop.example" },
  { to: "bob@there.example" },
  { to: "@there.example" },
  { transport: "relay" },
  { hold: true },
  { submitted: span },
  { nextAttempt: span },
  { account: "shop", to: "@there.example", hold: false, submitted: span, nextAttempt: span, transport: "relay", state: "queued" },
];

const readQueue = ({ reader }: DirectViews): void => {
  const queue = queueList(reader);
  for (const filter of filters) {
    queue.matchingIds(filter, 7, 10);
    for (const request of requests) {
      for (const direction of directions) {
        queue.list(filter, { sort: "nextAttemptAt", direction }, request);
        queue.list(filter, { sort: "queuedAt", direction }, request);
      }
    }
  }
};

const readOthers = ({ reader }: DirectViews): void => {
  const all = lists(reader);
  const single = histories(reader);
  for (const request of requests) {
    for (const direction of directions) {
      // A stretch of one time in the order of another has no index: it is read in that order and checked.
      const common = [
        {},
        { ids: [1] },
        { account: "shop" },
        { to: "@there.example" },
        { to: "bob@there.example" },
        { outcome: "failed" as const },
      ];
      const retired = retiredList(reader);
      for (const filter of [...common, { lastActivity: span }]) retired(filter, { sort: "lastActivityAt", direction }, request);
      for (const filter of [...common, { submitted: span }]) retired(filter, { sort: "queuedAt", direction }, request);
      for (const list of Object.values(callLists(reader))) {
        const calls = [{}, { account: "shop" }, { event: "failed" as const }, { messageRef: 1 }];
        for (const filter of [...calls, { active: span }]) list(filter, { sort: "activeAt", direction }, request);
        for (const filter of [...calls, { submitted: span }]) list(filter, { sort: "queuedAt", direction }, request);
      }
      all.received({ account: "shop" }, request, direction);
      all.received({ mailbox: "Junk" }, request, direction);
      all.received({ account: "shop", mailbox: "Inbox" }, request, direction);
      all.received({}, request, direction);
    }
    all.suppressionPage("shop", request);
    all.suppressionPage(null, request);
  }
  all.suppressions("shop");
  all.holdRules();
  all.counts("queue");
  all.counts("queue", "shop");
  single.message(1);
  single.attempts(1);
  single.feedback(1);
  single.call(1);
  single.callAttempts(1);
};

const readModel = ({ model, reader }: DirectViews): void => {
  for (const kind of ["deliver", "call", "interrupt", "remove", "delete"] as const) {
    // Twice and short, so that the second goes on behind the first.
    for (let pick = 0; pick < 2; pick += 1) model.due({ kind, at: NOON * 2, perLane: 1, limit: 1 });
    model.nextDueAt(kind, NOON);
  }
  model.openAttempts(10);
  model.newestId();
  model.suppression("shop", "bob@there.example");
  model.failuresInARow("shop", "bob@there.example");
  model.contacted("shop", "bob@there.example");
  model.usage("shop", NOON);
  model.storedOctets("shop");
  model.messageOfFromId("x");
  model.messagesOfEnvelope("shop", "x");
  model.messagesOfEnvelope("shop", "1.nobody-knows-this");
  model.messagesOfMessageId("shop", "<x@shop.example>");
  model.unreferenced([1, 2]);
  model.unfinishedCalls(1);
  model.callsAfter(1);
  const fields = ["account", "senderDomain", "recipientDomain"];
  for (let set = 0; set < 8; set += 1)
    reader.all(matchingSql(fields.filter((_, bit) => (set >> bit) % 2 === 1)), [
      ...Array<string>(fields.filter((_, bit) => (set >> bit) % 2 === 1).length).fill("x"),
      0,
      10,
    ]);
};

/** Every statement that `use` prepares, on any connection. */
const statementsOf = (use: () => void): ReadonlySet<string> => {
  const prepare = mock.method(DatabaseSync.prototype, "prepare");
  try {
    use();
    return new Set(prepare.mock.calls.map(({ arguments: [sql] }) => sql));
  } finally {
    prepare.mock.restore();
  }
};

/**
 * What a plan must not have. Reading a whole table in the order of an index is fine where only the first rows are taken
 * and none are passed over.
 */
const faults = (sql: string, plan: readonly string[]): readonly string[] =>
  plan.filter((step) => {
    if (step.includes("TEMP B-TREE")) return true;
    if (!step.startsWith("SCAN")) return false;
    const isFirstRows = sql.includes(" LIMIT ?") && !sql.includes("WHERE");
    return !(isFirstRows || step.startsWith("SCAN json_each") || step === "SCAN hold_rules");
  });

describe("what the views cost", () => {
  const check = (name: string, use: (views: DirectViews) => void): void => {
    it(`does not grow with the tables for ${name}`, async () => {
      await inFolder((folder) => {
        const views = directViews(join(folder, "views.db"));
        try {
          const { events } = randomLog(Array.from({ length: 400 }, (_, index) => index * 7_919));
          for (const run of cut(events, [50])) views.take(run);
          const statements = [...statementsOf(() => use(views))].filter((sql) => /^\s*(SELECT|UPDATE|DELETE)/.test(sql));
          assert.ok(statements.length > 5);
          for (const sql of statements) {
            const plan = views.db
              .prepare(`EXPLAIN QUERY PLAN ${sql}`)
              .all()
              .map((row) => String(row["detail"]));
            assert.deepEqual(faults(sql, plan), [], `${sql}\n${plan.join("\n")}`);
          }
        } finally {
          views.close();
        }
      });
    });
  };

  check("lists of the queue", readQueue);
  check("all other lists", readOthers);
  check("what the core asks", readModel);
});
