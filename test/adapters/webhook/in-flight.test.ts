import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";

import { httpReceiver, localCaller, never, openResources, someCall } from "./receiver.ts";

const { keep: kept, closeAll } = openResources();
afterEach(closeAll);

describe("a webhook call in flight", () => {
  it("ends as interrupted when the server stops", async () => {
    const stop = new AbortController();
    const receiver = kept(
      await httpReceiver(() => {
        stop.abort();
      }),
    );
    const caller = kept(localCaller());
    assert.equal((await caller.call(someCall(receiver.url), stop.signal)).kind, "interrupted");
    assert.equal((await caller.call(someCall(receiver.url), stop.signal)).kind, "interrupted", "nor is another begun");
  });

  it("ends as interrupted while its host is looked up", async () => {
    const stop = new AbortController();
    const caller = kept(
      localCaller({
        resolve: () => {
          stop.abort();
          return new Promise(() => undefined);
        },
      }),
    );
    assert.equal((await caller.call(someCall("http://slow.example/"), stop.signal)).kind, "interrupted");
  });

  it("ends as interrupted when the caller is closed", async () => {
    const caller = localCaller();
    const receiver = kept(
      await httpReceiver(() => {
        void caller.close();
      }),
    );
    assert.equal((await caller.call(someCall(receiver.url), never())).kind, "interrupted");
  });

  it("is not affected by another that is stopped", async () => {
    const stop = new AbortController();
    const answers: (() => void)[] = [];
    const receiver = kept(
      await httpReceiver((_request, response) => {
        answers.push(() => response.end());
        if (answers.length === 2) stop.abort();
      }),
    );
    const caller = kept(localCaller());
    const stopped = caller.call(someCall(receiver.url), stop.signal);
    const other = caller.call(someCall(receiver.url), never());
    assert.equal((await stopped).kind, "interrupted");
    for (const answer of answers) answer();
    assert.equal((await other).kind, "answered");
  });
});
