/** What operators, rules and the suppression list do to a message, in every state. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HOUR_MS } from "../../../src/domain/clock.ts";
import type { MessageCommand } from "../../../src/domain/message/commands.ts";
import type { MessageEvent } from "../../../src/domain/message/events.ts";
import { happened, NOON, operator, rule } from "../../support/samples.ts";
import {
  busy,
  claimed,
  delivered,
  given,
  gone,
  LATER,
  lostTimes,
  queued,
  record,
  retired,
  SOON,
  stopped,
  unknown,
} from "./given-message.ts";

const held = happened("MessageHeld");
const released = happened("MessageReleased");
const doubt = happened("DeliveryUncertain");

/** A way to every state in which a message can be when a command comes. */
const STORIES: Readonly<Record<string, readonly MessageEvent[]>> = {
  unborn: [],
  queued: [queued],
  held: [queued, held],
  attempting: [queued, claimed(1)],
  "attempting, to be held": [queued, claimed(1), held],
  uncertain: [queued, claimed(1), doubt],
  "uncertain, to be held": [queued, claimed(1), held, doubt],
  retired: [queued, happened("MessageCanceled"), retired()],
  removed: [queued, happened("MessageCanceled"), retired(), happened("MessageRemoved")],
};

type Expected = readonly MessageEvent["type"][] | "nothing" | "refused";

const COMMANDS: Readonly<Record<string, readonly [MessageCommand, Readonly<Record<string, Expected>>]>> = {
  hold: [
    { type: "hold", by: operator },
    {
      queued: ["MessageHeld"],
      held: "nothing",
      attempting: ["MessageHeld"],
      "attempting, to be held": "nothing",
      uncertain: ["MessageHeld"],
      "uncertain, to be held": "nothing",
    },
  ],
  release: [
    { type: "release", by: operator },
    {
      unborn: "nothing",
      queued: "nothing",
      held: ["MessageReleased"],
      attempting: "nothing",
      "attempting, to be held": ["MessageReleased"],
      uncertain: ["MessageRequeued"],
      "uncertain, to be held": ["MessageReleased", "MessageRequeued"],
      retired: "nothing",
      removed: "nothing",
    },
  ],
  "schedule an hour later": [
    { type: "schedule", nextAttemptAt: NOON + HOUR_MS, by: operator },
    {
      queued: ["MessageRescheduled"],
      held: ["MessageRescheduled"],
      uncertain: ["MessageRequeued"],
      "uncertain, to be held": ["MessageRequeued"],
    },
  ],
  fail: [
    { type: "fail", by: operator },
    {
      queued: ["MessageFailed", "MessageRetired"],
      held: ["MessageFailed", "MessageRetired"],
      uncertain: ["MessageFailed", "MessageRetired"],
      "uncertain, to be held": ["MessageFailed", "MessageRetired"],
    },
  ],
  cancel: [
    { type: "cancel", by: operator },
    {
      queued: ["MessageCanceled", "MessageRetired"],
      held: ["MessageCanceled", "MessageRetired"],
      uncertain: ["MessageCanceled", "MessageRetired"],
      "uncertain, to be held": ["MessageCanceled", "MessageRetired"],
    },
  ],
  "set a transport": [
    { type: "setTransport", transport: "relay", by: operator },
    { queued: ["MessageTransportSet"], held: ["MessageTransportSet"] },
  ],
  "set the TLS requirement": [
    { type: "setRequireTls", requireTls: false, by: operator },
    { queued: ["MessageRequireTlsSet"], held: ["MessageRequireTlsSet"] },
  ],
  suppress: [
    { type: "suppress", baseAddress: "bob@there.example", suppression: { stream: "recipient-shop/bob@there.example", revision: 1 } },
    {
      queued: ["MessageSuppressed", "MessageRetired"],
      attempting: "nothing",
      "attempting, to be held": "nothing",
      uncertain: "nothing",
      "uncertain, to be held": "nothing",
    },
  ],
};

for (const [name, [command, outcomes]] of Object.entries(COMMANDS)) {
  describe(`to ${name}`, () => {
    for (const [situation, story] of Object.entries(STORIES)) {
      const expected = outcomes[situation] ?? "refused";
      it(`${typeof expected === "string" ? (expected === "refused" ? "is refused" : "changes nothing") : `is ${expected.join(" and ")}`} when the message is ${situation}`, () => {
        const answer = given(...story).when(command);
        if (expected === "refused") answer.refuses();
        else if (expected === "nothing") answer.changesNothing();
        else answer.thenOfTypes(...expected);
      });
    }
  });
}

describe("asked again for what is so already", () => {
  const REPEATED: readonly (readonly [string, readonly MessageEvent[], MessageCommand])[] = [
    ["hold", [queued, held], { type: "hold", by: rule }],
    ["release", [queued, held, released], { type: "release", by: rule }],
    ["the same next attempt", [queued], { type: "schedule", nextAttemptAt: NOON, by: operator }],
    ["the same transport", [queued, happened("MessageTransportSet")], { type: "setTransport", transport: "relay", by: operator }],
    ["no transport", [queued], { type: "setTransport", transport: null, by: operator }],
    ["the same TLS requirement", [queued, happened("MessageRequireTlsSet")], { type: "setRequireTls", requireTls: true, by: operator }],
    ["no TLS requirement", [queued], { type: "setRequireTls", requireTls: null, by: operator }],
  ];
  for (const [name, story, command] of REPEATED) {
    it(`writes nothing: ${name}`, () => {
      given(...story)
        .when(command)
        .changesNothing();
    });
  }
});

describe("a hold asked for during an attempt", () => {
  const story = [queued, claimed(1), held];
  const stateAfter = (command: MessageCommand, uncertainDelivery: "retry" | "wait" = "wait") =>
    given(...story).when(command, { policy: { keepRetiredMs: 0, uncertainDelivery } }).state.value;

  it("takes effect when the attempt fails for now, is cut off or stays unclear", () => {
    assert.equal(stateAfter(record(1, busy)), "held");
    assert.equal(stateAfter(record(1, stopped)), "held");
    assert.equal(stateAfter({ type: "abandon", reason: "lost", overdueOnly: false }), "held");
    assert.equal(stateAfter(record(1, unknown), "retry"), "held");
  });

  it("does not keep a message back that was delivered or failed", () => {
    assert.equal(stateAfter(record(1, delivered)), "retired");
    assert.equal(stateAfter(record(1, gone)), "retired");
  });

  it("waits with an unclear delivery until an operator decides, and then still holds", () => {
    assert.equal(stateAfter(record(1, unknown)), "uncertain");
    const { state } = given(...story, doubt).when({ type: "schedule", nextAttemptAt: LATER, by: operator });
    assert.equal(state.value, "held");
  });

  it("can be taken back before it took effect", () => {
    assert.equal(given(...story, released).when(record(1, busy)).state.value, "queued");
  });
});

describe("a hold rule", () => {
  const byRule: MessageCommand = { type: "hold", by: rule };
  const heldByRule = happened("MessageHeld", { by: rule });

  it("holds a message once: whoever was released stays so, however often the rule asks", () => {
    given(queued, heldByRule, released).when(byRule).changesNothing();
    given(queued, held, released).when(byRule).thenOfTypes("MessageHeld");
    given(queued, heldByRule, released)
      .when({ type: "hold", by: { kind: "holdrule", name: "8" } })
      .thenOfTypes("MessageHeld");
  });

  it("does not keep an operator from holding again", () => {
    given(queued, heldByRule, released).when({ type: "hold", by: operator }).thenOfTypes("MessageHeld");
    given(queued, heldByRule, released)
      .when({ type: "hold", by: { ...operator, name: rule.name } })
      .thenOfTypes("MessageHeld");
  });
});

describe("a held message", () => {
  it("keeps its schedule, so that it is due at once when released late", () => {
    const { state } = given(queued, held).when({ type: "release", by: operator }, { now: LATER });
    assert.equal(state.value, "queued");
    assert.equal(state.context.nextAttemptAt, NOON);
  });

  it("is put off while on hold", () => {
    const { state } = given(queued, held).when({ type: "schedule", nextAttemptAt: LATER, by: operator });
    assert.equal(state.value, "held");
    assert.equal(state.context.nextAttemptAt, LATER);
  });
});

describe("a message to a suppressed address", () => {
  const suppress: MessageCommand = {
    type: "suppress",
    baseAddress: "bob@there.example",
    suppression: { stream: "recipient-shop/bob@there.example", revision: 1 },
  };

  it("ends without an attempt and names the entry of the list", () => {
    given(queued)
      .when(suppress, { now: SOON })
      .then(happened("MessageSuppressed", { at: SOON }), retired(SOON))
      .asksFor();
  });

  it("is left alone until its attempt would be due: the address may be off the list by then", () => {
    given(happened("MessageQueued", { nextAttemptAt: LATER }))
      .when(suppress)
      .changesNothing();
  });

  it("may have been tried before", () => {
    given(queued, ...lostTimes(1))
      .when(suppress)
      .thenOfTypes("MessageSuppressed", "MessageRetired");
  });
});

describe("whoever ends a message", () => {
  it("is named in the event", () => {
    given(queued).when({ type: "fail", by: operator }).then(happened("MessageFailed"), retired());
    given(queued).when({ type: "cancel", by: operator }).then(happened("MessageCanceled"), retired());
  });
});
