/** What reports about a message lead to. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { classify } from "../../../src/domain/message/bounce.ts";
import type { DsnNews, MessageCommand } from "../../../src/domain/message/commands.ts";
import { DSN_ACTIONS, type MatchedBy } from "../../../src/domain/message/events.ts";
import { isComplaint } from "../../../src/domain/message/feedback.ts";
import { happened, NOON } from "../../support/samples.ts";
import { claimed, given, queued, retired } from "./given-message.ts";

const delivered = [queued, claimed(1), happened("DeliverySucceeded"), retired()];

const gone: DsnNews = {
  ...{ isDsn: true, action: "failed", code: 550, enhancedCode: "5.1.1", error: "no such user", remoteHost: "mx.there.example" },
};

const dsn = (
  news: Partial<DsnNews> = {},
  changes: { readonly matchedBy?: MatchedBy; readonly failuresBefore?: number; readonly isListed?: boolean } = {},
): MessageCommand => ({
  type: "noteDsn",
  receivedId: 77,
  matchedBy: "fromid",
  news: { ...gone, ...news },
  failuresBefore: 0,
  isListed: false,
  ...changes,
});

const complaint = (feedbackType: string, matchedBy: MatchedBy = "fromid", isListed = false): MessageCommand => ({
  type: "noteComplaint",
  receivedId: 77,
  matchedBy,
  feedbackType,
  isListed,
});

describe("a DSN that says failed", () => {
  it("is noted on a delivered message, lists the address and has a class", () => {
    given(...delivered)
      .when(dsn())
      .then({
        type: "DsnReceived",
        at: NOON,
        receivedId: 77,
        matchedBy: "fromid",
        ...gone,
        bounce: classify(550, "5.1.1", gone.error),
        suppress: { rule: "enhanced-code", reason: "delivery failed with 550 5.1.1" },
        callId: 1_001,
      });
  });

  const suppressing = (command: MessageCommand): unknown => {
    const [event] = given(...delivered).when(command).events;
    return event?.type === "DsnReceived" ? event.suppress?.rule : "no DSN";
  };

  it("lists the address when it was matched by something that nobody can guess", () => {
    assert.equal(suppressing(dsn({}, { matchedBy: "envelope-id" })), "enhanced-code");
    assert.equal(suppressing(dsn({}, { matchedBy: "message-id" })), undefined);
  });

  it("does not list an address that is listed already", () => {
    assert.equal(suppressing(dsn({}, { isListed: true })), undefined);
    const [event] = given(...delivered).when(complaint("abuse", "fromid", true)).events;
    assert.equal(event?.type === "ComplaintReceived" && event.suppress, false);
  });

  it("is decided upon as a failed delivery is", () => {
    assert.equal(suppressing(dsn({ code: 500, enhancedCode: "5.2.2" })), undefined);
    assert.equal(suppressing(dsn({ code: 500, enhancedCode: "5.2.2" }, { failuresBefore: 2 })), "three-in-a-row");
    assert.equal(suppressing(dsn({ code: 500, enhancedCode: "5.2.2" }, { failuresBefore: 2, matchedBy: "message-id" })), undefined);
    assert.equal(suppressing(dsn({ code: 550, enhancedCode: "5.7.26" })), undefined);
    assert.equal(suppressing(dsn({ code: 400, enhancedCode: "4.4.7" })), undefined);
    assert.equal(suppressing(dsn({ code: 0, enhancedCode: "" }, { failuresBefore: 2 })), undefined);
  });
});

describe("a DSN that says something else", () => {
  for (const action of DSN_ACTIONS.filter((each) => each !== "failed")) {
    it(`is noted as ${action} and lists nothing`, () => {
      const { events } = given(...delivered).when(dsn({ action }, { failuresBefore: 9 }));
      assert.deepEqual(
        events.map((event) => event.type === "DsnReceived" && [event.action, event.suppress, event.bounce?.class]),
        [[action, null, action === "delayed" ? "bad-address" : undefined]],
      );
    });
  }
});

describe("a report", () => {
  it("is noted once", () => {
    given(...delivered, happened("DsnReceived", { receivedId: 77 }))
      .when(dsn())
      .changesNothing();
    given(...delivered, happened("ComplaintReceived", { receivedId: 77 }))
      .when(complaint("abuse"))
      .changesNothing();
    given(...delivered, happened("DsnReceived", { receivedId: 76 }))
      .when(dsn())
      .thenOfTypes("DsnReceived");
  });

  it("asks for nothing and leaves the outcome", () => {
    const { state } = given(...delivered)
      .when(dsn())
      .asksFor();
    assert.deepEqual([state.value, state.context.outcome, state.context.last?.code], ["retired", "delivered", 250]);
  });

  it("is refused before an attempt, after removal, and when there were too many", () => {
    given(queued).when(dsn()).refuses();
    given().when(dsn()).refuses();
    given(...delivered, happened("MessageRemoved"))
      .when(complaint("abuse"))
      .refuses();
    const bomb = Array.from({ length: 100 }, (_, index) => happened("DsnReceived", { receivedId: 1_000 + index }));
    given(...delivered, ...bomb)
      .when(dsn())
      .refuses();
  });
});

describe("a complaint", () => {
  const suppressing = (command: MessageCommand): unknown => {
    const [event] = given(...delivered).when(command).events;
    return event?.type === "ComplaintReceived" ? event.suppress : "none";
  };

  it("lists the address, whatever kind of abuse it speaks of", () => {
    for (const type of ["abuse", "fraud", "virus", "opt-out", "opt-out-list"]) assert.equal(suppressing(complaint(type)), true, type);
    assert.equal(suppressing(complaint("abuse", "envelope-id")), true);
  });

  it("is noted without listing when it may have been made up, or says nothing in particular", () => {
    assert.equal(suppressing(complaint("abuse", "message-id")), false);
    for (const type of ["other", "x-new", "constructor"]) assert.equal(suppressing(complaint(type)), false, type);
  });

  it("is none when nobody complains", () => {
    for (const type of ["not-spam", "auth-failure"]) {
      given(...delivered)
        .when(complaint(type))
        .changesNothing();
      assert.equal(isComplaint(type), false);
    }
    assert.equal(isComplaint("abuse"), true);
  });
});
