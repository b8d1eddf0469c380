/** What an account's wishes about its mail come to. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY_MS } from "../../../src/domain/clock.ts";
import { RETENTION } from "../../../src/domain/received/events.ts";
import { receivedKind } from "../../../src/domain/runtime/kinds.ts";
import { grammar } from "../../support/given.ts";
import { aReceivedMessage, mailed, NOON, shopOwner as by } from "../../support/samples.ts";

const given = grammar(receivedKind, { now: NOON });
const arrived = mailed("MessageReceived", { flags: ["\\seen"] });

describe("a message in a mailbox", () => {
  it("begins with its arrival", () => {
    const message = aReceivedMessage();
    given()
      .when({ type: "receive", message })
      .then({ type: "MessageReceived", at: NOON, ...message });
    given(arrived).when({ type: "receive", message }).refuses();
  });

  it("gets the flags that it has not yet", () => {
    const added = given(arrived).when({ type: "flagsAdd", flags: ["\\seen", "$forwarded"], by });
    added.then({ type: "MessageFlagsAdded", at: NOON, flags: ["$forwarded"], by });
    assert.deepEqual([...added.state.context.flags].sort(), ["$forwarded", "\\seen"]);
    given(arrived)
      .when({ type: "flagsAdd", flags: ["\\seen"], by })
      .changesNothing();
    given(arrived).when({ type: "flagsAdd", flags: [], by }).changesNothing();
  });

  it("loses the flags that it has", () => {
    const removed = given(arrived).when({ type: "flagsRemove", flags: ["\\seen", "later"], by });
    removed.then({ type: "MessageFlagsRemoved", at: NOON, flags: ["\\seen"], by });
    assert.deepEqual([...removed.state.context.flags], []);
    given(arrived)
      .when({ type: "flagsRemove", flags: ["later"], by })
      .changesNothing();
  });

  it("moves, keeping its flags", () => {
    const moved = given(arrived).when({ type: "move", mailbox: "Trash", by });
    moved.then({ type: "MessageMoved", at: NOON, mailbox: "Trash", by });
    assert.deepEqual([...moved.state.context.flags], ["\\seen"]);
    given(arrived).when({ type: "move", mailbox: "Inbox", by }).changesNothing();
    given(arrived, mailed("MessageMoved")).when({ type: "move", mailbox: "Inbox", by }).thenOfTypes("MessageMoved");
  });

  it("is gone once it is deleted", () => {
    given(arrived).when({ type: "delete", by }).then({ type: "MessageDeleted", at: NOON, by });
    const gone = given(arrived, mailed("MessageDeleted"));
    gone.when({ type: "delete", by }).refuses();
    gone.when({ type: "flagsAdd", flags: ["\\seen"], by }).refuses();
    gone.when({ type: "flagsRemove", flags: ["later"], by }).refuses();
    gone.when({ type: "move", mailbox: "Inbox", by }).refuses();
    gone.when({ type: "remove" }).refuses();
  });

  it("is deleted by the server when it was kept long enough, and not before", () => {
    const kept = given(mailed("MessageReceived", { keepUntil: NOON + DAY_MS }));
    kept.when({ type: "remove" }, { now: NOON + DAY_MS - 1 }).changesNothing();
    kept.when({ type: "remove" }, { now: NOON + DAY_MS }).then({ type: "MessageDeleted", at: NOON + DAY_MS, by: RETENTION });
    given(arrived)
      .when({ type: "remove" }, { now: NOON + 1_000 * DAY_MS })
      .changesNothing();
  });

  it("that never came allows nothing", () => {
    given().when({ type: "flagsAdd", flags: [], by }).refuses();
    given().when({ type: "delete", by }).refuses();
    given().when({ type: "remove" }).refuses();
  });
});
