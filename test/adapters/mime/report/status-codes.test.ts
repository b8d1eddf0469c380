/** Codes in the words that mail systems put around them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { statusCodes } from "../../../../src/adapters/mime/report/status-codes.ts";

type Row = readonly [diagnosticCode: string, status: string, code: number, enhancedCode: string, text: string];

const ROWS: readonly Row[] = [
  ["smtp; 550 5.1.1 no such user", "5.1.1", 550, "5.1.1", "no such user"],
  ["smtp;550 5.1.1 no such user", "5.0.0", 550, "5.1.1", "no such user"],
  ["SMTP; 550-5.1.1 no such user 550 5.1.1 really", "5.1.1", 550, "5.1.1", "no such user really"],
  ["smtp; 550-No such user 550-here 550 really", "5.1.1", 550, "5.1.1", "No such user here 550 really"],
  ["smtp; 550 No such user", "5.0.0", 550, "5.0.0", "No such user"],
  ["smtp; 550 No such user", "", 550, "", "No such user"],
  ["smtp; 550", "5.1.1", 550, "5.1.1", ""],
  ["smtp;#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", "5.1.1", 550, "5.1.1", "RESOLVER.ADR.RecipNotFound; not found"],
  ["smtp; 550 #5.1.1 unknown", "", 550, "5.1.1", "unknown"],
  ["550 5.1.1 no type before it", "5.1.1", 550, "5.1.1", "no type before it"],
  ["lmtp; 552 5.2.2 full", "", 552, "5.2.2", "full"],
  ["smtp; host a.example[192.0.2.1] said: 452 4.2.2 full", "4.2.2", 452, "4.2.2", "host a.example[192.0.2.1] said: full"],
  ["x-notes; 550 5.1.1 unknown", "5.1.1", 550, "5.1.1", "unknown"],
  ["x-unix; 67", "5.1.1", 500, "5.1.1", "67"],
  ["x-unix; 550", "5.1.1", 500, "5.1.1", "550"],
  ['x-postfix; unknown user: "bob"', "5.1.1", 500, "5.1.1", 'unknown user: "bob"'],
  ["smtp; 5.1.1 User unknown", "", 500, "5.1.1", "5.1.1 User unknown"],
  ["smtp; User unknown", "4.4.7", 400, "4.4.7", "User unknown"],
  // What contradicts itself, or only looks like a code.
  ["smtp; 550 4.2.2 full", "5.2.2", 550, "5.2.2", "4.2.2 full"],
  ["smtp; 450 try later", "5.1.1", 450, "", "try later"],
  ["smtp; 5500 is no code", "", 0, "", "5500 is no code"],
  ["smtp; 550.5 neither", "", 0, "", "550.5 neither"],
  ["smtp; 123 neither", "", 0, "", "123 neither"],
  ["", "5.1.1 (bad destination mailbox address)", 500, "5.1.1", ""],
  ["", "4.0.0", 400, "4.0.0", ""],
  ["", "2.1.5", 0, "2.1.5", ""],
  ["", "9.9.9", 0, "", ""],
  ["", "5.1", 0, "", ""],
  ["", "", 0, "", ""],
];

describe("the codes of a DSN", () => {
  for (const [diagnosticCode, status, ...expected] of ROWS) {
    it(`of "${diagnosticCode}" and "${status}" are ${expected[0]} ${expected[1]}`, () => {
      const { code, enhancedCode, text } = statusCodes(diagnosticCode, status);
      assert.deepEqual([code, enhancedCode, text], expected);
    });
  }
});
