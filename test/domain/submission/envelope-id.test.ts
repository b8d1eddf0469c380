import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { envelopeIdOf, submissionOf } from "../../../src/domain/submission/envelope-id.ts";

const SECRET = "Zc2oPq5mTkSxkB0yVQf8Y-";

describe("an envelope id of our own", () => {
  it("names its submission, and is an ENVID as it stands", () => {
    for (const id of [1, 42, 8_191_234_567_890, Number.MAX_SAFE_INTEGER]) {
      const envelopeId = envelopeIdOf(id, SECRET);
      assert.equal(submissionOf(envelopeId), id);
      assert.match(envelopeId, /^[!-*,-<>-~]{1,100}$/u); // xtext that needs no encoding (RFC 3461 sections 4 and 4.4)
    }
  });

  it("is told from what a submitter chose", () => {
    for (const chosen of ["", "QQ314159", "batch 7", `.${SECRET}`, "1.short", `1.${SECRET}!`, `A.${SECRET}`, `zzzzzzzzzzz.${SECRET}`]) {
      assert.equal(submissionOf(chosen), undefined, chosen);
    }
  });
});
