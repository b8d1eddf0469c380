import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BOUNCE_RULES } from "../../../src/domain/message/bounce-rules.ts";
import { BOUNCE_CLASSES } from "../../../src/domain/message/bounce-class.ts";
import { classify } from "../../../src/domain/message/bounce.ts";
import { SAMPLE_REPLIES } from "./bounce-replies.ts";

describe("the class of a refusal", () => {
  for (const [code, enhancedCode, text, expected] of SAMPLE_REPLIES) {
    it(`is ${expected} for ${code} ${enhancedCode} ${text.slice(0, 60)}`, () => {
      const bounce = classify(code, enhancedCode, text);
      assert.equal(bounce?.class, expected, `rule ${bounce?.rule}`);
    });
  }

  it("is nothing when nothing failed", () => {
    assert.equal(classify(250, "2.1.5", "OK, user unknown to be a spammer"), null);
    assert.equal(classify(354, "", ""), null);
    assert.equal(classify(0, "", ""), null);
    assert.equal(classify(0, "2.1.5", "delivered"), null);
  });

  it("does not read addresses as words", () => {
    assert.equal(classify(550, "", "<spam.virus.quota@there.example> rejected")?.class, "bad-address");
    assert.equal(classify(554, "", "from spf@shop.example to <greylist@there.example>")?.class, "unknown");
  });

  it("takes greylisting for what passes only where the refusal does", () => {
    assert.equal(classify(451, "4.7.1", "Greylisting in action")?.class, "greylisting");
    assert.notEqual(classify(550, "5.7.1", "Greylisting in action")?.class, "greylisting");
  });

  it("is some class for whatever a server says", () => {
    const words = fc.constantFrom(
      "user",
      "mailbox",
      "exceeded",
      "the",
      "spam",
      "limit",
      "is",
      "full",
      "domain",
      "not",
      "\u0000",
      "\r\n",
      "@",
    );
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.array(words, { maxLength: 60 }).map((each) => each.join(" ")),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: -1, max: 1_000 }),
        fc.oneof(fc.string(), fc.constantFrom("5.1.1", "4.7.x", ".")),
        texts,
        (code, enhanced, text) => {
          const bounce = classify(code, enhanced, text);
          if (bounce === null) return;
          assert.ok(BOUNCE_CLASSES.includes(bounce.class));
          assert.ok(BOUNCE_RULES.some(({ id }) => id === bounce.rule));
        },
      ),
    );
  });
});

describe("the table of bounce rules", () => {
  it("names every rule once", () => {
    const ids = BOUNCE_RULES.map(({ id }) => id);
    assert.deepEqual(ids, [...new Set(ids)]);
  });

  it("ends with a rule for everything, and only there", () => {
    const open = BOUNCE_RULES.filter(({ codes, enhanced, text }) => codes === undefined && enhanced === undefined && text === undefined);
    assert.deepEqual(open, [BOUNCE_RULES.at(-1)]);
  });

  it("has no pattern that repeats without a bound, so that no text takes long", () => {
    for (const { id, text, enhanced } of BOUNCE_RULES) {
      for (const pattern of [text, enhanced]) {
        const source = pattern?.source.replace(/\\./g, "x").replace(/\[[^\]]*\]/g, "x") ?? "";
        assert.doesNotMatch(source, /[*+]|\{\d+,\}/, id);
      }
    }
  });

  it("has patterns in lower case, as the text is that they meet", () => {
    for (const { id, text } of BOUNCE_RULES) assert.doesNotMatch(text?.source.replace(/\\./g, "") ?? "", /[A-Z]/, id);
  });

  it("looks through hostile texts quickly", () => {
    const began = performance.now();
    for (const unit of ["the domain ", "exceeded the message ", "rejected ", "account is ", "daily ", "attachment "])
      classify(550, "5.0.0", unit.repeat(100_000));
    assert.ok(performance.now() - began < 1_000);
  });

  it("is tried by a sample for most of its rules", () => {
    const hit = new Set(SAMPLE_REPLIES.map(([code, enhancedCode, text]) => classify(code, enhancedCode, text)?.rule));
    assert.ok(hit.size > 25, `${hit.size}`);
  });
});
