import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { codec } from "../../../src/adapters/event-store/codec.ts";
import type { EncodedEvent, StoreWithContents } from "../../../src/adapters/event-store/event-store.ts";
import { memoryStore } from "../../../src/adapters/event-store/memory.ts";
import { openViews, type Views } from "../../../src/adapters/views/open-views.ts";
import { rebuildViews, viewsPath } from "../../../src/adapters/views/rebuild.ts";
import { DAY_MS } from "../../../src/domain/clock.ts";
import type { DomainEvent } from "../../../src/domain/events.ts";
import { messageStream } from "../../../src/domain/message/events.ts";
import { aMessage, happened, NOON } from "../../support/samples.ts";
import { randomLog } from "./random-log.ts";

const queued = (id: number): DomainEvent => ({ type: "MessageQueued", at: NOON, ...aMessage({ id }) });

describe("the views of a server", () => {
  let directory: string;
  let store: StoreWithContents;
  let rebuilds: string[];
  let failures: Error[];
  let opened: Views[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "posthorn-views-"));
    store = memoryStore();
    rebuilds = [];
    failures = [];
    opened = [];
  });

  afterEach(async () => {
    for (const views of opened) await views.close();
    await store.close();
    await rm(directory, { recursive: true });
  });

  const start = async (): Promise<Views> => {
    const views = await openViews({
      store,
      directory,
      onFailure: (error) => void failures.push(error),
      onRebuild: (reason) => void rebuilds.push(reason),
    });
    opened.push(views);
    return views;
  };

  const appendEncoded = async (stream: string, ...events: readonly EncodedEvent[]): Promise<number> => {
    const revision = (await store.readStream(stream)).length - 1;
    const result = await store.append([{ stream, expectedRevision: revision, events }]);
    assert.ok(result.appended);
    return result.position;
  };

  const append = (stream: string, ...events: readonly DomainEvent[]): Promise<number> => appendEncoded(stream, ...events.map(codec.encode));

  const queue = async (...ids: readonly number[]): Promise<number> => {
    for (const id of ids) await append(messageStream(id), queued(id));
    return store.head();
  };

  const listed = (views: Views): readonly number[] =>
    views.queries.queue.list({}, { sort: "queuedAt", direction: "ascending" }, { limit: 100 }).rows.map(({ id }) => id);

  const nonsense: EncodedEvent = { type: "MessageDanced", version: 1, at: NOON, data: "{}" };

  it("begin with everything that is in the log, and follow it", async () => {
    await queue(1, 2);
    const views = await start();
    assert.deepEqual(rebuilds, ["there are none"]);
    assert.deepEqual(listed(views), [1, 2]);
    await views.readModel.passed(await queue(3));
    assert.deepEqual(listed(views), [1, 2, 3]);
    assert.equal(views.readModel.position(), store.head());
    assert.deepEqual(views.queries.counts("queue"), [{ list: "queue", account: "shop", state: "queued", rows: 3 }]);
  });

  it("go on where they were after a restart", async () => {
    const first = await start();
    await first.readModel.passed(await queue(1));
    await first.close();
    await queue(2);
    const second = await start();
    assert.deepEqual(listed(second), [1, 2]);
    assert.equal(rebuilds.length, 1);
  });

  it("catch up from an older state of their file", async () => {
    const first = await start();
    await first.readModel.passed(await queue(1));
    await first.close();
    await copyFile(viewsPath(directory), join(directory, "older"));
    const second = await start();
    await second.readModel.passed(await append(messageStream(1), happened("MessageCanceled"), happened("MessageRetired")));
    const digest = await second.digest();
    await second.close();
    await copyFile(join(directory, "older"), viewsPath(directory));
    const third = await start();
    assert.equal(await third.digest(), digest);
    assert.equal(rebuilds.length, 1);
  });

  it("are the same after they were deleted", async () => {
    const views = await start();
    for (const { stream, event } of randomLog(Array.from({ length: 200 }, (_, index) => index * 31)).events) await append(stream, event);
    await views.readModel.passed(store.head());
    const digest = await views.digest();
    await views.close();
    await rm(viewsPath(directory));
    const again = await start();
    assert.equal(await again.digest(), digest);
  });

  it("say the same although a stream has left the log since", async () => {
    const views = await start();
    await queue(1, 2);
    const later = { at: NOON + 2 * DAY_MS };
    const gone = [happened("MessageCanceled", later), happened("MessageRetired", later), happened("MessageRemoved", later)];
    await append(messageStream(1), ...gone);
    await append(messageStream(2), happened("MessageHeld", later));
    await views.readModel.passed(store.head());
    await store.deleteStream(messageStream(1));
    const digest = await views.digest();
    await views.readModel.forget(messageStream(1));
    assert.equal(await views.digest(), digest);
    await views.close();
    await rm(viewsPath(directory));
    assert.equal(await (await start()).digest(), digest);
  });

  describe("are built anew", () => {
    beforeEach(async () => {
      const views = await start();
      await views.readModel.passed(await queue(1, 2, 3));
      await views.close();
      rebuilds.length = 0;
    });

    it("when their tables are of another version", async () => {
      const db = new DatabaseSync(viewsPath(directory));
      db.exec("UPDATE meta SET fingerprint = 'of old'");
      db.close();
      assert.deepEqual(listed(await start()), [1, 2, 3]);
      assert.deepEqual(rebuilds, ["they are of another version"]);
    });

    it("when the file is no database", async () => {
      await writeFile(viewsPath(directory), "good morning");
      assert.deepEqual(listed(await start()), [1, 2, 3]);
      assert.match(rebuilds.join(), /cannot be read/);
    });

    it("when a rebuild was cut off", async () => {
      const db = new DatabaseSync(viewsPath(directory));
      db.exec("UPDATE meta SET complete = 0");
      db.close();
      assert.deepEqual(listed(await start()), [1, 2, 3]);
      assert.deepEqual(rebuilds, ["they were not finished"]);
    });

    it("when the log is shorter than they are", async () => {
      await store.close();
      store = memoryStore();
      await queue(1);
      assert.deepEqual(listed(await start()), [1]);
      assert.deepEqual(rebuilds, ["they are not of this log"]);
    });

    it("when the log is another one of the same length", async () => {
      await store.close();
      store = memoryStore();
      await queue(11, 12, 13, 14);
      assert.deepEqual(listed(await start()), [11, 12, 13, 14]);
      assert.deepEqual(rebuilds, ["they are not of this log"]);
    });

    it("when damage inside the file shows while they catch up", async () => {
      await spoilPages(viewsPath(directory));
      await queue(4);
      assert.deepEqual(listed(await start()), [1, 2, 3, 4]);
      assert.deepEqual(rebuilds, ["they are damaged"].concat(rebuilds.slice(1)));
      assert.deepEqual(failures, []);
    });

    it("at the next start, when damage shows in a read", async () => {
      await spoilPages(viewsPath(directory));
      const views = await start();
      assert.throws(() => listed(views));
      assert.match(failures.map(({ message }) => message).join(), /damaged/);
      await views.close();
      assert.ok(!existsSync(viewsPath(directory)));
      assert.deepEqual(listed(await start()), [1, 2, 3]);
    });
  });

  it("do not start with an event that they do not know, and name it", async () => {
    await appendEncoded(messageStream(9), nonsense);
    await assert.rejects(start(), /MessageDanced .*stream message-9.*position 1/);
    assert.ok(!existsSync(`${viewsPath(directory)}.new`));
  });

  it("stop at an event that they do not know, and say so once", async () => {
    const views = await start();
    const before = await queue(1);
    await views.readModel.passed(before);
    const position = await appendEncoded(messageStream(9), nonsense);
    await assert.rejects(views.readModel.passed(position), /MessageDanced/);
    await queue(2);
    await assert.rejects(views.readModel.passed(store.head()), /MessageDanced/);
    assert.equal(failures.length, 1);
    assert.match(failures[0]?.message ?? "", /MessageDanced .*stream message-9, revision 0, position 2/);
    assert.equal(views.readModel.position(), before);
    assert.deepEqual(listed(views), [1]);
    await assert.rejects(views.readModel.forget(messageStream(1)), /MessageDanced/);
  });

  it("take an event as it is told, never twice", async () => {
    const views = await start();
    const positions = await Promise.all([queue(1, 2, 3), queue(4, 5, 6), queue(7, 8, 9)]);
    await Promise.all([...positions, ...positions].map((position) => views.readModel.passed(position)));
    assert.deepEqual(
      views.queries.counts("queue").map(({ rows }) => rows),
      [9],
    );
    assert.equal(views.readModel.usage("shop", NOON - 1).messages, 9);
  });

  it("tell those who listen about every step, until they do not want to hear more", async () => {
    const views = await start();
    let steps = 0;
    const unsubscribe = views.readModel.onAdvance(() => {
      steps += 1;
    });
    await views.readModel.passed(await queue(1));
    assert.equal(steps, 1);
    unsubscribe();
    await views.readModel.passed(await queue(2));
    assert.equal(steps, 1);
  });

  it("leave nobody waiting when they are closed", async () => {
    const views = await start();
    const waiting = assert.rejects(views.readModel.passed(1_000), /closed/);
    await views.close();
    await waiting;
    await assert.rejects(views.readModel.passed(1_000), /closed/);
    await assert.rejects(views.readModel.forget("message-1"), /closed/);
    await views.close();
    assert.deepEqual(failures, []);
  });

  it("say when the store breaks down", async () => {
    const views = await start();
    await store.close();
    await assert.rejects(views.readModel.passed(1), /cannot read the log/);
    assert.equal(failures.length, 1);
  });

  it("can be rebuilt while the server is stopped, telling how far it is", async () => {
    await queue(1, 2, 3);
    const told: number[] = [];
    const result = await rebuildViews({ store, directory, onProgress: ({ events }) => void told.push(events) });
    assert.deepEqual(result, { events: 3, position: store.head() });
    assert.equal(told.at(-1), 3);
    assert.deepEqual(listed(await start()), [1, 2, 3]);
    assert.deepEqual(rebuilds, []);
  });

  it("stay as they were when a rebuild is aborted", async () => {
    await queue(1);
    const first = await start();
    await first.close();
    await assert.rejects(rebuildViews({ store, directory, signal: AbortSignal.abort() }));
    assert.ok(!existsSync(`${viewsPath(directory)}.new`));
    assert.deepEqual(listed(await start()), [1]);
    assert.equal(rebuilds.length, 1);
  });
});

/** Writes over everything but the first pages, which say what the file is and where its tables are. */
const spoilPages = async (path: string): Promise<void> => {
  const db = new DatabaseSync(path);
  const pages = db.prepare("SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'queue' AND rootpage > 0").all();
  db.close();
  const file = await open(path, "r+");
  for (const { rootpage } of pages) await file.write(Buffer.alloc(4_096, 0xa5), 0, 4_096, (Number(rootpage) - 1) * 4_096);
  await file.close();
};
