import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { domainToASCII } from "node:url";
import { unicodeAddress, unicodeDomain } from "../../src/domain/unicode-address.ts";

describe("an address that is shown to a client", () => {
  it("has the letters of its domain", () => {
    assert.equal(unicodeAddress("Bob@xn--mnchen-3ya.example"), "Bob@münchen.example");
    assert.equal(unicodeAddress('"a@xn--nda"@mail.xn--74h.localhost'), '"a@xn--nda"@mail.☺.localhost');
    for (const domain of [
      "ö.example",
      "bücher.münchen.example",
      "例え.テスト",
      "правда.рф",
      "مثال.إختبار",
      "한국어-a.example",
      "𐌰b-ö.example",
    ]) {
      assert.equal(unicodeDomain(domainToASCII(domain)), domain);
    }
  });

  it("stays as it is where there is nothing to show, or something that nobody writes so", () => {
    const same = ["", "xn--nda", "bob@there.example", "bob@[192.0.2.1]", "ü@there.example", "xn--nda@there.example"];
    const nothing = [
      "xn--",
      "xn--a",
      "xn--a-",
      "xn--99999999999",
      "xn--abc-.example",
      "xn--ü",
      "xn--0000h",
      "xn--a-ecp.ru",
      `xn--${"9".repeat(59)}`,
    ];
    for (const text of [...same, ...nothing.map((domain) => `bob@${domain}`)]) assert.equal(unicodeAddress(text), text, text);
  });
});
