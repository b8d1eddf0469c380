/** What a submission with an envelope of its own is queued with, and fromids that the submitter chose. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { QueuedMessage } from "../../../src/domain/message/events.ts";
import { chosenFromIds } from "../../../src/domain/submission/chosen-from-ids.ts";
import type { Submission, SubmissionEnvelope } from "../../../src/domain/submission/submission.ts";
import { addressOf, anAccount } from "../../support/samples.ts";
import { aSubmission, world, type World } from "../../support/world.ts";

const envelope = (mailFrom: string | null, changes: Partial<SubmissionEnvelope> = {}): SubmissionEnvelope => ({
  mailFrom: mailFrom === null ? null : addressOf(mailFrom),
  envelopeId: "",
  returnContent: null,
  wishes: [],
  ...changes,
});

const queuedIn = (one: World): readonly QueuedMessage[] =>
  one.log.all().flatMap(({ event }) => (event.type === "MessageQueued" ? [event] : []));

const account = anAccount({ fromIdLoginAddresses: ["orders@shop.example"] });

const submit = async (one: World, recipients: readonly string[], changes: Partial<Submission>): Promise<string> => {
  const result = await one.core.submit(aSubmission(recipients, { account, ...changes }));
  return result.accepted ? "accepted" : `${result.refusal.reason}: ${result.refusal.detail}`;
};

describe("an envelope", () => {
  it("is kept: ENVID, RET and what each recipient was asked for", async () => {
    const one = world();
    const wishes = [
      { notify: ["failure"], originalRecipient: "rfc822;bob@old.example" },
      { notify: [], originalRecipient: "" },
    ] as const;
    await one.send(["bob@there.example", "eve@there.example"], {
      envelope: envelope("orders+news@shop.example", { envelopeId: "batch 7", returnContent: "headers", wishes }),
    });
    assert.deepEqual(
      queuedIn(one).map(({ mailFrom, fromId, envelopeId, returnContent, notify, originalRecipient }) => ({
        ...{ mailFrom, fromId, envelopeId, returnContent, notify, originalRecipient },
      })),
      wishes.map((wish) => ({
        ...{ mailFrom: "orders+news@shop.example", fromId: "", envelopeId: "batch 7", returnContent: "headers" },
        ...wish,
      })),
    );
  });

  it("without ENVID gets one that nobody can guess", async () => {
    const one = world();
    await one.send(["bob@there.example"], { envelope: envelope("orders@shop.example") });
    assert.match(queuedIn(one)[0]!.envelopeId, /^[0-9a-z]+\.token/u);
  });

  it("with the null reverse path keeps it, also for a fromid login", async () => {
    const one = world();
    assert.equal(await submit(one, ["bob@there.example"], { envelope: envelope(null) }), "accepted");
    assert.deepEqual([queuedIn(one)[0]?.mailFrom, queuedIn(one)[0]?.fromId], ["", ""]);
  });

  it("needs SMTPUTF8 for the recipients that need it, and no others", async () => {
    const one = world();
    await one.send(["bob@there.example", "grüße@there.example"], { envelope: envelope("orders@shop.example") });
    assert.deepEqual(
      queuedIn(one).map(({ smtpUtf8 }) => smtpUtf8),
      [false, true],
    );
  });
});

describe("a fromid in a MAIL FROM", () => {
  it("is used for a fromid login", async () => {
    const one = world({ accounts: [account] });
    assert.equal(await submit(one, ["bob@there.example"], { envelope: envelope("orders+order-7@shop.example") }), "accepted");
    assert.deepEqual([queuedIn(one)[0]?.mailFrom, queuedIn(one)[0]?.fromId], ["orders+order-7@shop.example", "order-7"]);
  });

  it("is made for each recipient when the MAIL FROM has none, behind its own local part", async () => {
    const one = world({ accounts: [account] });
    await submit(one, ["bob@there.example", "eve@there.example"], { envelope: envelope("sales@shop.example") });
    assert.deepEqual(
      queuedIn(one).map(({ mailFrom, fromId }) => mailFrom === `sales+${fromId}@shop.example`),
      [true, true],
    );
    assert.equal(new Set(queuedIn(one).map(({ fromId }) => fromId)).size, 2);
  });

  it("is for one recipient", async () => {
    const one = world({ accounts: [account] });
    const answer = await submit(one, ["bob@there.example", "eve@there.example"], { envelope: envelope("orders+order-7@shop.example") });
    assert.match(answer, /^fromIdImpossible: .*one recipient/u);
    assert.equal(one.log.all().length, 0);
  });

  it("is no other message's: stored, or being stored at the same moment", async () => {
    const one = world({ accounts: [account] });
    const again = () => submit(one, ["bob@there.example"], { envelope: envelope("orders+order-7@shop.example") });
    const answers = await Promise.all([again(), again()]);
    assert.deepEqual(answers.map((answer) => answer.split(":")[0]).sort(), ["accepted", "fromIdImpossible"]);
    await one.quiet();
    assert.match(await again(), /^fromIdImpossible: .*another message's/u);
    assert.equal(queuedIn(one).length, 1);
  });

  it("that would make the local part longer than 64 octets is not made", async () => {
    const long = `${"o".repeat(42)}@shop.example`;
    const accounts = [anAccount({ addresses: [long], fromIdLoginAddresses: [long] })];
    const one = world({ accounts });
    const changes = { account: accounts[0]!, login: addressOf(long), from: addressOf(long) };
    assert.match(await submit(one, ["bob@there.example"], changes), /^fromIdImpossible: .*64 octets/u);
    assert.equal(one.log.all().length, 0);
  });

  it("of 22 octets behind 41 and the separator just fits", async () => {
    const fitting = `${"o".repeat(41)}@shop.example`;
    const accounts = [anAccount({ addresses: [fitting], fromIdLoginAddresses: [fitting] })];
    const one = world({ accounts });
    const changes = { account: accounts[0]!, login: addressOf(fitting), from: addressOf(fitting) };
    assert.equal(await submit(one, ["bob@there.example"], changes), "accepted");
  });
});

describe("a claim on a fromid", () => {
  const subject = () => {
    const state = { head: 0, position: 0, known: new Set<string>() };
    const claims = chosenFromIds({
      log: { head: () => state.head },
      readModel: { position: () => state.position, messageOfFromId: (fromId) => (state.known.has(fromId) ? 1 : undefined) },
    });
    return { state, ...claims };
  };

  it("stands until the views show the message, and their answer afterwards", () => {
    const { state, claim } = subject();
    const first = claim("a");
    assert.ok(first !== undefined);
    state.head = 5;
    first.settle();
    assert.equal(claim("a"), undefined);
    state.position = 5;
    state.known.add("a");
    assert.equal(claim("a"), undefined);
    state.known.delete("a"); // its message is kept no longer
    assert.ok(claim("a") !== undefined);
  });

  it("given back is free again", () => {
    const { claim } = subject();
    claim("a")?.release();
    assert.ok(claim("a") !== undefined);
  });
});
