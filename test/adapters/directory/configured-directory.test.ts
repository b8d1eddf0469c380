import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { directoryFrom } from "../../../src/adapters/directory/configured-directory.ts";
import { localConfig } from "../../../src/adapters/config/local.ts";
import { parseAddress } from "../../../src/domain/address.ts";
import type { Directory } from "../../../src/domain/account/account.ts";

const directory = (): Directory => {
  const env = {
    POSTHORN_WEBHOOK_URL: "http://u:p@localhost:1/",
    POSTHORN_DOMAINS: JSON.stringify({
      "a.example": { catchAllSeparator: "+" },
      "b.example": {},
      "c.example": { disabled: true },
      localhost: {},
    }),
    POSTHORN_ACCOUNTS__APP: JSON.stringify({
      addresses: ["app@a.example", "app@b.example", "@c.example"],
      password: "x",
      outgoingWebhook: { url: "http://x.example/", events: ["failed"], mode: "every" },
      keepRetiredMessagePeriod: "1h",
      keepReceivedPeriod: "2h",
    }),
    POSTHORN_ACCOUNTS__TAG: JSON.stringify({ addresses: ["app+tag@a.example"], password: "x" }),
  };
  const result = localConfig({ env });
  assert.ok(result.ok);
  return directoryFrom(result.config);
};

const owner = (text: string): string | undefined => {
  const address = parseAddress(text);
  assert.ok(address !== undefined);
  return directory().accountOf(address)?.name;
};

describe("an address", () => {
  it("belongs to the account that names it, in any case", () => {
    assert.equal(owner("app@a.example"), "app");
    assert.equal(owner("APP@A.Example"), "app");
    assert.equal(owner('"app"@a.example'), "app");
  });

  it("belongs to the account of its base when its domain has a separator", () => {
    assert.equal(owner("app+order-7@a.example"), "app");
    assert.equal(owner("app+order@b.example"), undefined);
    assert.equal(owner("+app@a.example"), undefined);
  });

  it("belongs first to the account that names it whole", () => {
    assert.equal(owner("app+tag@a.example"), "tag");
  });

  it("belongs to the account that has its whole domain", () => {
    assert.equal(owner("anyone@c.example"), "app");
  });

  it("belongs to nobody here when it is a stranger's", () => {
    assert.equal(owner("other@a.example"), undefined);
    assert.equal(owner("app@elsewhere.example"), undefined);
    assert.equal(owner("constructor@a.example"), undefined);
  });
});

describe("an account in the directory", () => {
  it("has its settings, without secrets", () => {
    const account = directory().account("app");
    assert.equal(account?.keepRetiredMessageMs, 3_600_000);
    assert.equal(account.keepReceivedMs, 7_200_000);
    assert.equal(directory().account("tag")?.keepReceivedMs, null);
    assert.deepEqual(account.outgoingWebhook, { url: "http://x.example/", events: new Set(["failed"]), mode: "every" });
    assert.doesNotMatch(JSON.stringify(directory().accounts()), /authorization|password|u:p/u);
  });

  it("wants all events when it names none", () => {
    assert.equal(directory().account("local")?.outgoingWebhook?.events, null);
  });
});

describe("a domain in the directory", () => {
  it("is found by its name and tells whether it is disabled", () => {
    assert.deepEqual(directory().domain("C.example"), { name: "c.example", catchAllSeparator: null, disabled: true });
    assert.equal(directory().domain("__proto__"), undefined);
  });
});
