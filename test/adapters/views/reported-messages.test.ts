import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { QueuedMessage } from "../../../src/domain/message/events.ts";
import { messageStream } from "../../../src/domain/message/events.ts";
import { envelopeIdOf } from "../../../src/domain/submission/envelope-id.ts";
import { aMessage, happened, NOON } from "../../support/samples.ts";
import { directViews, inFolder } from "./views-folder.ts";

/** Messages that were tried, in the queue or retired, and what the views find by an envelope id. */
const foundBy = async (envelopeId: string, messages: readonly Partial<QueuedMessage>[]): Promise<readonly number[]> => {
  let found: readonly number[] = [];
  await inFolder((folder) => {
    const views = directViews(join(folder, "views.db"));
    let position = 0;
    for (const changes of messages) {
      const message = aMessage({ envelopeId, ...changes });
      const events = [
        { type: "MessageQueued" as const, at: NOON, ...message },
        happened("DeliveryAttempted"),
        happened("DeliveryDeferred"),
      ];
      views.take(events.map((event, revision) => ({ position: ++position, stream: messageStream(message.id), revision, event })));
    }
    found = views.model.messagesOfEnvelope("shop", envelopeId).map(({ id }) => id);
    views.close();
  });
  return found;
};

describe("messages of an envelope id", () => {
  const own = envelopeIdOf(41, "nobody-knows-this");

  it("are all those of the submission that it names, the newest first", async () => {
    assert.deepEqual(await foundBy(own, [{ id: 42 }, { id: 43 }]), [43, 42]);
  });

  it("are those of the submitter who chose it", async () => {
    assert.deepEqual(await foundBy("env-1", [{ id: 42 }, { id: 43 }, { id: 44, envelopeId: "env-2" }]), [43, 42]);
  });

  it("are both, when a submitter chose what a submission of another is called", async () => {
    assert.deepEqual(await foundBy(own, [{ id: 42 }, { id: 50, submissionId: 49 }, { id: 39, submissionId: 38 }]), [50, 42, 39]);
  });

  it("are none of another account", async () => {
    assert.deepEqual(await foundBy(own, [{ id: 42, account: "club" }]), []);
  });
});
