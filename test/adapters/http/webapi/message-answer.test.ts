import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { answerOf } from "../../../../src/adapters/http/webapi/message-answer.ts";
import { readMail } from "../../../../src/adapters/mime/reader/read-mail.ts";
import { aReceivedMessage, NOON } from "../../../support/samples.ts";

const referencesOf = async (...header: readonly string[]): Promise<readonly string[]> => {
  const reading = await readMail([Buffer.from(header.map((line) => `${line}\r\n`).join(""))]);
  return answerOf({ ...aReceivedMessage(), at: NOON }, reading).Message.References;
};

describe("the references of a message", () => {
  it("are all words of its fields, with or without angle brackets", async () => {
    assert.deepEqual(await referencesOf("References: ref@x <b@x>", "\tC@x", "References: d@x"), ["ref@x", "<b@x>", "C@x", "d@x"]);
    assert.deepEqual(await referencesOf(), []);
  });

  it("have the answered message among them, first if nothing else says where", async () => {
    assert.deepEqual(await referencesOf("References: ref@x c@x", "In-Reply-To: c@x"), ["ref@x", "c@x"]);
    assert.deepEqual(await referencesOf("References: ref@x", "In-Reply-To: <a@x>"), ["<a@x>", "ref@x"]);
    assert.deepEqual(await referencesOf("In-Reply-To: a@x"), ["a@x"]);
  });
});
