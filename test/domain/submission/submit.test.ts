/** What is queued, durably and for all recipients, and what is refused with nothing stored. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HOUR_MS } from "../../../src/domain/clock.ts";
import type { QueuedMessage } from "../../../src/domain/message/events.ts";
import type { Submission, SubmissionRefusal } from "../../../src/domain/submission/submission.ts";
import { addressOf, anAccount, operator, directoryOf } from "../../support/samples.ts";
import { aSubmission, world, type World } from "../../support/world.ts";

const reasonOf = async (
  one: World,
  recipients: readonly string[],
  changes: Partial<Submission> = {},
): Promise<SubmissionRefusal["reason"] | "accepted"> => {
  const result = await one.core.submit(aSubmission(recipients, changes));
  return result.accepted ? "accepted" : result.refusal.reason;
};

const queuedIn = (one: World): readonly QueuedMessage[] =>
  one.log.all().flatMap(({ event }) => (event.type === "MessageQueued" ? [event] : []));

describe("a submission", () => {
  it("is stored with its content in one append, before it is acknowledged", async () => {
    const one = world();
    const appends: string[] = [];
    one.log.before = (what, _stream, writes) =>
      void (what === "append" && appends.push(writes.map(({ events }) => events.map(({ type }) => type)).join("; ")));
    const result = await one.core.submit(aSubmission(["bob@there.example", "eve@elsewhere.example"]));
    assert.deepEqual(appends, ["MessageQueued; MessageQueued"]);
    assert.ok(result.accepted);
    const messages = queuedIn(one);
    assert.deepEqual(
      result.queued,
      messages.map(({ id, recipient }) => ({ id, recipient, fromId: "" })),
    );
    assert.deepEqual(one.log.contents.ids(), [messages[0]?.contentId]);
    assert.equal(
      new TextDecoder().decode(await one.log.contents.read(messages[0]?.contentId ?? 0)),
      "Subject: Your order\r\n\r\nThanks.\r\n",
    );
  });

  it("keeps what a delivery needs", async () => {
    const one = world();
    await one.send(["Bob@Bücher.example"], { requireTls: true, smtpUtf8: true, eightBit: true, source: "smtp" });
    const [message] = queuedIn(one);
    assert.ok(message !== undefined);
    const { id, submissionId, contentId, ...rest } = message;
    assert.ok(new Set([id, submissionId, contentId]).size === 3);
    assert.deepEqual(rest, {
      type: "MessageQueued",
      at: one.clock.now(),
      account: "shop",
      mailFrom: "orders@shop.example",
      from: "orders@shop.example",
      recipient: "Bob@xn--bcher-kva.example",
      recipientDomain: "xn--bcher-kva.example",
      senderDomain: "shop.example",
      fromId: "",
      size: 32,
      messageId: "<order-1@shop.example>",
      subject: "Your order",
      extra: { order: "1" },
      requireTls: true,
      smtpUtf8: true,
      eightBit: true,
      transport: null,
      nextAttemptAt: one.clock.now(),
      maxAttempts: 8,
      source: "smtp",
      envelopeId: `${submissionId.toString(36)}.token1`,
      notify: null,
      returnContent: null,
      originalRecipient: "",
    });
  });

  it("answers one message per recipient, in their order, also for the same recipient twice", async () => {
    const one = world();
    const recipients = ["b@there.example", "a@there.example", "c@elsewhere.example", "a@there.example"];
    const ids = await one.send(recipients);
    assert.equal(new Set(ids).size, 4);
    assert.deepEqual(
      queuedIn(one).map(({ recipient }) => recipient),
      recipients,
    );
    assert.equal(new Set(queuedIn(one).map(({ submissionId }) => submissionId)).size, 1);
  });

  it("is not attempted before its time", async () => {
    const one = world();
    await one.begin();
    await one.send(["bob@there.example"], { releaseAt: one.clock.now() + HOUR_MS });
    await one.pass(HOUR_MS - 1);
    assert.equal(one.courier.deliveries.length, 0);
    await one.pass(1);
    assert.equal(one.courier.deliveries.length, 1);
    await one.core.stop(0);
  });

  it("with a time that has passed is due now, not before", async () => {
    const one = world();
    await one.send(["bob@there.example"], { releaseAt: one.clock.now() - HOUR_MS });
    assert.equal(queuedIn(one)[0]?.nextAttemptAt, one.clock.now());
  });

  it("is held from the start by a rule that matches, recipient by recipient", async () => {
    const one = world();
    const rule = await one.core.holdRules.add({ account: "shop", senderDomain: null, recipientDomain: "there.example" }, operator);
    const [match, other] = await one.send(["bob@there.example", "eve@elsewhere.example"]);
    assert.deepEqual(one.log.types(`message-${match ?? 0}`), ["MessageQueued", "MessageHeld"]);
    assert.deepEqual(one.log.types(`message-${other ?? 0}`), ["MessageQueued"]);
    const held = (await one.log.read(`message-${match ?? 0}`))[1]?.event;
    assert.deepEqual(held?.type === "MessageHeld" && held.by, { kind: "holdrule", name: `${rule === "exists" ? 0 : rule.id}` });
  });
});

describe("a fromid login", () => {
  const account = anAccount({ fromIdLoginAddresses: ["orders@shop.example"] });

  it("gets a unique MAIL FROM for each recipient", async () => {
    const one = world({ accounts: [account] });
    const result = await one.core.submit(aSubmission(["bob@there.example", "eve@there.example"], { account }));
    assert.ok(result.accepted);
    assert.deepEqual(
      result.queued.map(({ fromId }) => fromId),
      ["token2", "token3"],
    );
    assert.deepEqual(
      queuedIn(one).map(({ mailFrom, from }) => [mailFrom, from]),
      [
        ["orders+token2@shop.example", "orders@shop.example"],
        ["orders+token3@shop.example", "orders@shop.example"],
      ],
    );
  });

  it("has a tag of its own replaced by the fromid", async () => {
    const tagged = anAccount({ fromIdLoginAddresses: ["orders@shop.example"], addresses: ["orders+news@shop.example"] });
    const one = world({ accounts: [tagged] });
    await one.send(["bob@there.example"], { account: tagged, from: addressOf("orders+news@shop.example") });
    assert.equal(queuedIn(one)[0]?.mailFrom, "orders+token2@shop.example");
  });

  it("is only who logs in with it", async () => {
    const one = world({ accounts: [account] });
    await one.send(["bob@there.example"], { account, login: addressOf("news@shop.example") });
    assert.deepEqual([queuedIn(one)[0]?.mailFrom, queuedIn(one)[0]?.fromId], ["orders@shop.example", ""]);
  });

  it("needs a domain with a catch-all separator", async () => {
    const directory = directoryOf([account], [{ name: "shop.example", catchAllSeparator: null, disabled: false }]);
    const one = world({ accounts: [account], options: { directory } });
    assert.equal(await reasonOf(one, ["bob@there.example"], { account }), "fromIdImpossible");
    assert.equal(one.log.all().length, 0);
  });
});

describe("a submission that is refused", () => {
  const REFUSED: Readonly<Record<string, readonly [SubmissionRefusal["reason"], readonly string[], Partial<Submission>]>> = {
    "from a stranger's address": ["badFrom", ["bob@there.example"], { from: addressOf("eve@shop.example") }],
    "from another account's address": ["badFrom", ["bob@there.example"], { from: addressOf("hello@shop.example") }],
    "from a domain that is not ours": ["badFrom", ["bob@there.example"], { from: addressOf("orders@there.example") }],
    "from a disabled domain": ["domainDisabled", ["bob@there.example"], { from: addressOf("orders@old.example") }],
    "to nobody": ["noRecipients", [], {}],
  };
  for (const [name, [reason, recipients, changes]] of Object.entries(REFUSED)) {
    it(`${name} leaves nothing behind: ${reason}`, async () => {
      const accounts = [
        anAccount({ addresses: ["orders@shop.example", "orders@old.example"] }),
        anAccount({ name: "other", addresses: ["hello@shop.example"] }),
      ];
      const one = world({
        accounts,
        options: { directory: directoryOf(accounts, [{ name: "old.example", catchAllSeparator: "+", disabled: true }]) },
      });
      assert.equal(await reasonOf(one, recipients, changes), reason);
      assert.equal(one.log.all().length, 0);
      assert.deepEqual(one.log.contents.ids(), []);
    });
  }

  it("does not use up the account's limits", async () => {
    const account = anAccount({ messagesPerDay: 1 });
    const one = world({ accounts: [account] });
    for (let times = 0; times < 3; times += 1) await reasonOf(one, ["bob@there.example"], { account, from: addressOf("eve@shop.example") });
    assert.equal(await reasonOf(one, ["bob@there.example"], { account }), "accepted");
  });
});

describe("ids that are taken", () => {
  it("are replaced by fresh ones", async () => {
    const one = world();
    let conflicts = 0;
    one.log.before = (what, stream, writes) => {
      const [first] = writes[0]?.events ?? [];
      if (what !== "append" || first === undefined || conflicts === 3) return;
      conflicts += 1;
      one.log.write(stream, first);
    };
    const [id = 0] = await one.send(["bob@there.example"]);
    assert.equal(conflicts, 3);
    assert.deepEqual(one.log.types(`message-${id}`), ["MessageQueued"]);
    assert.equal(one.log.contents.ids().length, 1);
  });

  it("cost a large content nothing", async () => {
    const one = world();
    let conflicts = 0;
    one.log.before = (what, stream, writes) => {
      const [first] = writes[0]?.events ?? [];
      if (what !== "append" || first === undefined || conflicts === 1) return;
      conflicts += 1;
      one.log.write(stream, first);
    };
    const content = [new Uint8Array(100_000).fill(1), new Uint8Array(100_000).fill(2)];
    const result = await one.core.submit({ ...aSubmission(["bob@there.example"]), content });
    assert.ok(result.accepted);
    assert.equal(conflicts, 1);
    const stored = await one.log.contents.read(one.log.contents.ids()[0] ?? 0);
    assert.deepEqual([stored?.length, stored?.[0], stored?.[199_999]], [200_000, 1, 2]);
  });

  it("over and over are an error that tells of the clock", async () => {
    const one = world();
    one.log.before = (what, stream, writes) => {
      const [first] = writes[0]?.events ?? [];
      if (what === "append" && first !== undefined) one.log.write(stream, first);
    };
    await assert.rejects(one.core.submit(aSubmission(["bob@there.example"])), /clock/);
    assert.deepEqual(one.log.contents.ids(), []);
  });
});

describe("a store out of order", () => {
  it("throws, acknowledges nothing and leaves the account's limit alone", async () => {
    const account = anAccount({ messagesPerDay: 1 });
    const one = world({ accounts: [account] });
    one.log.before = (what) => {
      if (what === "append") throw new Error("disk full");
    };
    await assert.rejects(one.core.submit(aSubmission(["bob@there.example"], { account })), /disk full/);
    one.log.before = () => undefined;
    assert.equal(await reasonOf(one, ["bob@there.example"], { account }), "accepted");
  });
});
