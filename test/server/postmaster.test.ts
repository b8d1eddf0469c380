import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { postmasterOf } from "../../src/server/receiving.ts";
import { parseAddress } from "../../src/domain/address.ts";
import type { Directory } from "../../src/domain/account/account.ts";
import { anAccount } from "../support/samples.ts";

const accounts = [
  anAccount({ name: "first", addresses: ["a@one.example"] }),
  anAccount({ name: "second", addresses: ["b@two.example"] }),
  anAccount({ name: "third", addresses: ["postmaster@three.example"] }),
];
const directory: Directory = {
  account: (name) => accounts.find((account) => account.name === name),
  domain: (name) => ({ name, catchAllSeparator: null, disabled: name === "off.example" }),
  accountOf: ({ text }) => accounts.find(({ addresses }) => addresses.some((address) => parseAddress(address)?.text === text)),
  accounts: () => accounts,
};
const reader = (domain: string | undefined, named?: string, hostName = "mx.example"): string | undefined =>
  postmasterOf(
    {
      hostName,
      receiving: {
        dmarc: "reject",
        maxConnectionsPerAddress: 50,
        maxRecipients: 100,
        ...(named === undefined ? {} : { postmaster: named }),
      },
    },
    directory,
  )(domain)?.name;

describe("a postmaster's mail", () => {
  it("goes to whoever has the address, whatever the configuration says", () => {
    assert.equal(reader("three.example", "second"), "third");
    assert.equal(reader(undefined, "second", "three.example"), "third");
  });

  it("goes to the account that the configuration names", () => {
    assert.equal(reader("one.example", "second"), "second");
    assert.equal(reader(undefined, "second"), "second");
  });

  it("goes to the first account of the domain, else to the first of all", () => {
    assert.equal(reader("two.example"), "second");
    assert.equal(reader("empty.example"), "first");
    assert.equal(reader(undefined), "first");
  });
});
