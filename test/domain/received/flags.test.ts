/** Flags as people and programs write them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inOrder, MAX_FLAG_LENGTH, MAX_FLAGS, parseFlags } from "../../../src/domain/received/flags.ts";

describe("flags", () => {
  it("are system flags and keywords, in lower case, each once", () => {
    const result = parseFlags([
      "\\Seen",
      "\\ANSWERED",
      "\\deleted",
      "\\draft",
      "\\Flagged",
      "$Forwarded",
      "$junk",
      "Later",
      "later",
      "a.b-c_d/1}",
    ]);
    assert.deepEqual(result, {
      ok: true,
      flags: ["\\seen", "\\answered", "\\deleted", "\\draft", "\\flagged", "$forwarded", "$junk", "later", "a.b-c_d/1}"],
    });
    assert.deepEqual(parseFlags([]), { ok: true, flags: [] });
  });

  it("are refused when they could not be atoms", () => {
    const wrong = [
      "",
      " ",
      "a b",
      "\\recent",
      "\\other",
      "\\",
      "a\\b",
      "(",
      "a)",
      "{",
      "100%",
      "*",
      '"',
      "a]",
      "\r\n",
      "\u0000",
      "\u007f",
      "käse",
      "📯",
    ];
    for (const flag of wrong) assert.equal(parseFlags(["\\seen", flag]).ok, false, JSON.stringify(flag));
  });

  it("have limits", () => {
    assert.equal(parseFlags(["x".repeat(MAX_FLAG_LENGTH)]).ok, true);
    assert.equal(parseFlags(["x".repeat(MAX_FLAG_LENGTH + 1)]).ok, false);
    assert.equal(parseFlags(Array.from({ length: MAX_FLAGS + 1 }, () => "\\seen")).ok, false);
    assert.ok(JSON.stringify(parseFlags(["y z".repeat(100_000)])).length < 500);
  });

  it("are listed known keywords first, then system flags, then the account's own", () => {
    const all = ["zoo", "\\seen", "$phishing", "abc", "\\answered", "$forwarded"];
    assert.deepEqual(inOrder(all), ["$forwarded", "$phishing", "\\answered", "\\seen", "abc", "zoo"]);
  });
});
