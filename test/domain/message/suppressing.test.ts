/** Which failures put an address on the suppression list (queue.md, "Suppression list"). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { suppressionDecision } from "../../../src/domain/message/suppressing.ts";

type Row = readonly [
  code: number,
  enhancedCode: string,
  failuresBefore: number,
  rule: "smtp-code" | "enhanced-code" | "three-in-a-row" | null,
];

const TABLES: Readonly<Record<string, readonly Row[]>> = {
  "a reply code about the mailbox lists the address": [
    [521, "", 0, "smtp-code"],
    [550, "", 0, "smtp-code"],
    [551, "", 0, "smtp-code"],
    [553, "", 0, "smtp-code"],
    [556, "", 0, "smtp-code"],
    [550, "5.0.0", 0, "smtp-code"],
    [553, "5.5.4", 0, "smtp-code"],
    [556, "5.1.10", 0, "smtp-code"],
  ],
  "another reply code lists nothing": [
    [500, "", 0, null],
    [501, "", 0, null],
    [502, "", 0, null],
    [503, "", 0, null],
    [504, "", 0, null],
    [520, "", 0, null],
    [522, "", 0, null],
    [552, "5.2.2", 0, null],
    [554, "", 0, null],
    [554, "5.0.0", 0, null],
    [555, "", 0, null],
    [557, "", 0, null],
  ],
  "an enhanced code about the mailbox lists it under any 5xx": [
    [554, "5.1.1", 0, "enhanced-code"],
    [554, "5.1.2", 0, "enhanced-code"],
    [554, "5.1.3", 0, "enhanced-code"],
    [554, "5.1.6", 0, "enhanced-code"],
    [552, "5.2.1", 0, "enhanced-code"],
    [554, "5.7.1", 0, "enhanced-code"],
    [500, "5.1.1", 0, "enhanced-code"],
    [550, "5.7.1", 0, "enhanced-code"],
  ],
  "an enhanced code that only looks alike does not": [
    [554, "5.1.10", 0, null],
    [554, "5.1.4", 0, null],
    [554, "5.1.16", 0, null],
    [554, "5.11.1", 0, null],
    [554, "5.2.10", 0, null],
    [554, "5.2.2", 0, null],
    [554, "5.7.10", 0, null],
    [554, "5.7.11", 0, null],
    [554, "1.1", 0, null],
    [554, "garbage", 0, null],
    [554, "5.", 0, null],
  ],
  "a refusal by policy or for the content says nothing about the mailbox": [
    [550, "5.7.0", 0, null],
    [550, "5.7.2", 0, null],
    [550, "5.7.26", 0, null],
    [550, "5.7.133", 0, null],
    [521, "5.7.25", 0, null],
    [551, "5.7.9", 0, null],
    [553, "5.7.17", 0, null],
    [556, "5.7.27", 0, null],
    [554, "5.7.5", 0, null],
  ],
  "a temporary reply at the last attempt lists nothing, whatever its enhanced code": [
    [421, "", 0, null],
    [450, "4.1.1", 0, null],
    [451, "4.7.1", 0, null],
    [452, "4.2.1", 1, null],
  ],
  "three failures in a row list it whatever the reply": [
    [554, "", 1, null],
    [554, "", 2, "three-in-a-row"],
    [554, "", 7, "three-in-a-row"],
    [451, "4.3.0", 2, "three-in-a-row"],
    [550, "5.7.26", 2, "three-in-a-row"],
    [550, "5.1.1", 2, "enhanced-code"],
    [550, "", 2, "smtp-code"],
  ],
  "without a reply nothing is known about the mailbox": [
    [0, "", 0, null],
    [0, "", 2, null],
    [0, "5.1.1", 0, null],
    [0, "5.1.2", 100, null],
  ],
};

describe("a failed delivery", () => {
  for (const [name, rows] of Object.entries(TABLES)) {
    describe(name, () => {
      for (const [code, enhancedCode, failuresBefore, rule] of rows) {
        it(`${code} ${enhancedCode || "without enhanced code"} after ${failuresBefore} failures: ${rule ?? "not listed"}`, () => {
          assert.equal(suppressionDecision(code, enhancedCode, failuresBefore)?.rule ?? null, rule);
        });
      }
    });
  }

  it("is listed for a reason that a person can read", () => {
    assert.equal(suppressionDecision(550, "5.1.1", 0)?.reason, "delivery failed with 550 5.1.1");
    assert.equal(suppressionDecision(550, "", 0)?.reason, "delivery failed with 550");
    assert.equal(suppressionDecision(554, "", 2)?.reason, "3 messages in a row failed, the last with 554");
  });
});
