import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ownAddresses } from "../../../../src/adapters/smtp-in/mx/own-addresses.ts";
import { houseDirectory, houseRecipients } from "../../../support/mail-exchanger.ts";

const decide = (address: string, more: { readonly smtpUtf8?: boolean; readonly octets?: number; readonly localAddress?: string } = {}) => {
  const answer = houseRecipients(address, { localAddress: "192.0.2.25", smtpUtf8: false, octets: 0, ...more });
  return answer.kind === "own" ? answer.recipient : `${answer.reason} ${answer.refusal.code} ${answer.refusal.enhancedCode}`;
};

describe("mail is taken", () => {
  for (const [written, address, account, tag] of [
    ["app@own.example", "app@own.example", "app", ""],
    ["App@OWN.example", "App@own.example", "app", ""],
    ["app+Tag-9_x@own.example", "app+Tag-9_x@own.example", "app", "Tag-9_x"],
    ["app+a+b@own.example", "app+a+b@own.example", "app", "a+b"],
    ["app+fixed@own.example", "app+fixed@own.example", "app", ""],
    ["anybody@all.example", "anybody@all.example", "everything", ""],
    ["anybody+tag@all.example", "anybody+tag@all.example", "everything", "tag"],
    ['"app"@own.example', "app@own.example", "app", ""],
    ["app@plain.example", "app@plain.example", "app", ""],
    ["postmaster", "postmaster@mx.own.example", "app", ""],
    ["POSTMASTER", "postmaster@mx.own.example", "app", ""],
    ["postmaster@mx.own.example", "postmaster@mx.own.example", "app", ""],
    ["Postmaster@MX.own.example", "Postmaster@mx.own.example", "app", ""],
    ["MAILER-DAEMON@mx.own.example", "MAILER-DAEMON@mx.own.example", "app", ""],
    ["mailer-daemon@mx.own.example", "mailer-daemon@mx.own.example", "app", ""],
    ["postmaster@own.example", "postmaster@own.example", "app", ""],
    ["Postmaster@plain.example", "Postmaster@plain.example", "app", ""],
    ["postmaster@all.example", "postmaster@all.example", "everything", ""],
    ["postmaster@[192.0.2.25]", "postmaster@[192.0.2.25]", "app", ""],
  ] as const) {
    it(`for ${written}`, () => {
      assert.deepEqual(decide(written), { address, account, tag });
    });
  }

  it("for what looks like a route, by a catch-all, and stays there", () => {
    assert.deepEqual(decide("victim%other.example@all.example"), {
      address: "victim%other.example@all.example",
      account: "everything",
      tag: "",
    });
    assert.deepEqual(decide("other.example!victim@all.example"), {
      address: "other.example!victim@all.example",
      account: "everything",
      tag: "",
    });
  });

  it("for a local part that has to be quoted", () => {
    assert.deepEqual(decide('"a b@c"@all.example'), { address: '"a b@c"@all.example', account: "everything", tag: "" });
  });

  it("for an address that needs SMTPUTF8 when that was asked for", () => {
    assert.deepEqual(decide("größe@own.example", { smtpUtf8: true }), { address: "größe@own.example", account: "app", tag: "" });
    assert.deepEqual(decide("a@bücher.example", { smtpUtf8: true }), { address: "a@xn--bcher-kva.example", account: "app", tag: "" });
    for (const address of ["größe@own.example", "a@bücher.example", "größe@other.example"])
      assert.equal(decide(address), "syntax 553 5.6.7");
  });

  for (const [hostName, account] of [
    ["Own.example", "app"],
    ["all.example", "everything"],
  ] as const) {
    it(`for MAILER-DAEMON at ${hostName}, where the host's name is a domain of accounts`, () => {
      const options = { directory: houseDirectory, hostName, postmaster: () => houseDirectory.account("app"), isFull: () => false };
      const circumstances = { localAddress: "192.0.2.25", smtpUtf8: false, octets: 0 };
      const answer = ownAddresses(options)(`MAILER-DAEMON@${hostName}`, circumstances);
      assert.equal(answer.kind === "own" && answer.recipient.account, account);
    });
  }

  it("for a mailbox with some room, if not for more than that", () => {
    assert.deepEqual(decide("hoarder@own.example"), { address: "hoarder@own.example", account: "hoarder", tag: "" });
    assert.equal(decide("hoarder@own.example", { octets: 101 }), "full 452 4.2.2");
  });
});

describe("mail is refused", () => {
  for (const [written, why] of [
    ["user@other.example", "relay 550 5.7.1"],
    ["user@sub.own.example", "relay 550 5.7.1"],
    ["user@own.example.other.example", "relay 550 5.7.1"],
    ["user@notown.example", "relay 550 5.7.1"],
    ["postmaster@other.example", "relay 550 5.7.1"],
    ["app@mx.own.example", "relay 550 5.7.1"],
    ["postmaster+tag@mx.own.example", "relay 550 5.7.1"],
    ["MAILER-DAEMON@other.example", "relay 550 5.7.1"],
    ["MAILER-DAEMON@own.example", "unknown 550 5.1.1"],
    ["app@[192.0.2.25]", "relay 550 5.7.1"],
    ["postmaster@[192.0.2.26]", "relay 550 5.7.1"],
    ["app@[IPv6:2001:db8::1]", "relay 550 5.7.1"],
    ["user%other.example@own.example", "unknown 550 5.1.1"],
    ["other.example!user@own.example", "unknown 550 5.1.1"],
    ['"user@other.example"@own.example', "unknown 550 5.1.1"],
    ["nobody@own.example", "unknown 550 5.1.1"],
    ["nobody+app@own.example", "unknown 550 5.1.1"],
    ["+app@own.example", "unknown 550 5.1.1"],
    ["app+tag@plain.example", "unknown 550 5.1.1"],
    ["user@off.example", "disabled 550 5.7.1"],
    ["postmaster@off.example", "disabled 550 5.7.1"],
    ["user@", "syntax 501 5.1.3"],
    ["@own.example", "syntax 501 5.1.3"],
    ["user", "syntax 501 5.1.3"],
    ["user@[127.1]", "syntax 501 5.1.3"],
    ["user@127.0.0.1", "syntax 501 5.1.3"],
    ["user@other.example@own.example", "syntax 501 5.1.3"],
  ] as const) {
    it(`for ${written}: ${why}`, () => {
      assert.equal(decide(written), why);
    });
  }
});
