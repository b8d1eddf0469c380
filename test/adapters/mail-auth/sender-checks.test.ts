import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";

import { recordLookups } from "../../../src/adapters/dns/record-lookups.ts";
import { type SenderVerdict, senderChecks } from "../../../src/adapters/mail-auth/sender-checks.ts";
import { splitHeader } from "../../../src/adapters/smtp-in/mx/header-fields.ts";
import { type LocalDns, localDns, type Zone } from "../../support/local-dns.ts";
import { keyOf, sealedBy, signedBy, textAt } from "../../support/signed-mail.ts";
import { virtualClock } from "../../support/virtual-clock.ts";

const MESSAGE = "From: App <app@sender.example>\r\nTo: you@own.example\r\nSubject: Hi\r\nMessage-ID: <1@sender.example>\r\n\r\nHello.\r\n";

const servers: LocalDns[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

type Circumstances = {
  readonly message?: string;
  readonly mailFrom?: string;
  readonly remoteAddress?: string;
  readonly authors?: readonly string[];
  readonly helo?: string;
  readonly onBody?: (advance: (ms: number) => void) => void;
};

const checked = async (
  zone: Zone,
  circumstances: Circumstances = {},
): Promise<SenderVerdict & { readonly questions: readonly string[] }> => {
  const { message = MESSAGE, mailFrom = "app@sender.example", remoteAddress = "192.0.2.1", helo = "mx.sender.example" } = circumstances;
  const dns = await localDns(zone);
  servers.push(dns);
  const clock = virtualClock();
  const lookups = recordLookups(clock, { servers: [dns.server], timeoutMs: 60_000, tries: 1 });
  const check = senderChecks({ lookups, clock, hostName: "mx.own.example" })({ remoteAddress, helo, mailFrom });
  const end = message.indexOf("\r\n\r\n");
  const split = splitHeader(Buffer.from(message.slice(0, end + 2)));
  assert.ok(split.kind === "fields");
  await check.header(split.fields, circumstances.authors ?? ["sender.example"]);
  for (const octet of Buffer.from(message.slice(end + 4))) check.body(Buffer.from([octet]));
  const verdict = check.verdict();
  circumstances.onBody?.(clock.advance);
  const done = await verdict;
  check.end();
  assert.equal(clock.pending(), 0);
  return { ...done, questions: dns.questions };
};

const results = ({ fields }: SenderVerdict): string => fields.replace(/\r\n\t/gu, " ");

const SPF = textAt("sender.example", "v=spf1 ip4:192.0.2.1 -all");
const REJECT = textAt("_dmarc.sender.example", "v=DMARC1; p=reject");

describe("SPF", () => {
  it("holds for the address that the domain names", async () => {
    const verdict = await checked(SPF);
    assert.ok(verdict.mailFromValidated && verdict.msgFromValidated);
    assert.match(
      results(verdict),
      /^Authentication-Results: mx\.own\.example; dkim=none; spf=pass smtp\.mailfrom="?app@sender\.example"?; dmarc=none/u,
    );
    assert.match(
      results(verdict),
      /^Received-SPF: pass client-ip=192\.0\.2\.1; identity=mailfrom; envelope-from="app@sender\.example"; helo="mx\.sender\.example"; receiver=mx\.own\.example\r\n$/mu,
    );
  });

  it("fails for another", async () => {
    const verdict = await checked(SPF, { remoteAddress: "192.0.2.2" });
    assert.ok(!verdict.mailFromValidated && !verdict.msgFromValidated);
    assert.match(results(verdict), /spf=fail/u);
  });

  it("is checked for the name that a client without a sender gives itself", async () => {
    const verdict = await checked(textAt("mx.sender.example", "v=spf1 ip4:192.0.2.1 -all"), { mailFrom: "" });
    assert.equal(verdict.mailFromValidated, false);
    assert.match(results(verdict), /spf=pass smtp\.helo=mx\.sender\.example/u);
  });

  it("follows records no further than it may", async () => {
    const chain = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [
        index === 0 ? "sender.example" : `s${index}.example`,
        [{ type: "TXT" as const, text: `v=spf1 include:s${index + 1}.example -all` }],
      ]),
    );
    const verdict = await checked(chain);
    assert.match(results(verdict), /spf=permerror/u);
    assert.ok(verdict.questions.length < 20);
  });

  it("asks a bounded number of questions even for the most branching record", async () => {
    const mx = Array.from({ length: 10 }, (_, index) => ({ type: "MX" as const, preference: index, exchange: `h${index}.evil.example` }));
    const zone: Record<string, Zone[string]> = {
      "sender.example": [
        { type: "TXT", text: `v=spf1 ${Array.from({ length: 9 }, (_, index) => `mx:m${index}.evil.example`).join(" ")} -all` },
      ],
    };
    for (let index = 0; index < 9; index += 1)
      zone[`m${index}.evil.example`] = mx.map((each) => ({ ...each, exchange: `${index}${each.exchange}` }));
    for (let a = 0; a < 10; a += 1)
      for (let b = 0; b < 10; b += 1) zone[`${a}h${b}.evil.example`] = [{ type: "A", address: "198.51.100.7" }];
    const verdict = await checked(zone);
    assert.ok(verdict.questions.length <= 85, String(verdict.questions.length));
    assert.match(results(verdict), /spf=(?:temperror|permerror|fail)/u);
  });
});

describe("a DKIM signature", () => {
  it("of our own signer holds", async () => {
    const verdict = await checked({ ...keyOf("sender.example"), ...REJECT }, { message: await signedBy("sender.example", MESSAGE) });
    assert.deepEqual(verdict.dkimVerifiedDomains, ["sender.example"]);
    assert.ok(verdict.msgFromValidated);
    assert.equal(verdict.policy, "none");
    assert.match(results(verdict), /dkim=pass header\.d=sender\.example header\.s=sel/u);
    assert.match(results(verdict), /dmarc=pass \(p=reject\) header\.from=sender\.example/u);
  });

  it("does not hold for a body that was changed", async () => {
    const message = (await signedBy("sender.example", MESSAGE)).replace("Hello.", "Hallo.");
    const verdict = await checked(keyOf("sender.example"), { message });
    assert.deepEqual(verdict.dkimVerifiedDomains, []);
    assert.match(results(verdict), /dkim=fail \(body hash did not verify\)/u);
  });

  it("does not hold for a header that was changed", async () => {
    const message = (await signedBy("sender.example", MESSAGE)).replace("Subject: Hi", "Subject: Ho");
    assert.match(results(await checked(keyOf("sender.example"), { message })), /dkim=fail/u);
  });

  it("proves nothing when it leaves From out", async () => {
    const message = (await signedBy("sender.example", MESSAGE)).replace(/([:=\s])From(?=[:;])/giu, "$1X-From");
    assert.match(results(await checked(keyOf("sender.example"), { message })), /dkim=policy \(From is not signed\)/u);
  });

  it("proves nothing when it covers a part of the body", async () => {
    const signed = await signedBy("sender.example", MESSAGE);
    const message = `${signed.replace("; bh=", "; l=8; bh=")}<p>and something else</p>\r\n`;
    const verdict = await checked(keyOf("sender.example"), { message });
    assert.deepEqual(verdict.dkimVerifiedDomains, []);
  });

  it("with a key that the DNS does not give makes no decision", async () => {
    const message = await signedBy("sender.example", MESSAGE);
    const verdict = await checked({ "sel._domainkey.sender.example": "SERVFAIL", ...REJECT }, { message });
    assert.match(results(verdict), /dkim=temperror/u);
    assert.match(results(verdict), /dmarc=temperror/u);
    assert.ok(verdict.isUndecided);
    assert.equal(verdict.policy, "reject");
  });

  it("is one of the eight that are looked at", async () => {
    const signed = await signedBy("sender.example", MESSAGE);
    const fake = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=D.example; s=s; h=From; bh=AAAA; b=BBBB\r\n";
    const many = Array.from({ length: 100 }, (_, index) => fake.replace("D.", `d${index}.`)).join("");
    const verdict = await checked(keyOf("sender.example"), { message: many + signed });
    assert.deepEqual(verdict.dkimVerifiedDomains, []);
    assert.ok(verdict.questions.length < 20);
    assert.match(results(verdict), /too many signatures/u);
  });
});

describe("a chain of ARC seals", () => {
  const seal = (message = MESSAGE): Promise<string> => sealedBy("list.example", message);

  it("holds", async () => {
    assert.match(results(await checked(keyOf("list.example"), { message: await seal() })), /arc=pass smtp\.remote-ip=192\.0\.2\.1/u);
  });

  it("does not hold for a body that was changed, or without a key", async () => {
    const message = await seal();
    assert.match(results(await checked(keyOf("list.example"), { message: message.replace("Hello.", "Hallo.") })), /arc=fail/u);
    assert.match(results(await checked({}, { message })), /arc=fail/u);
  });

  it("that is broken is no trouble", async () => {
    const message = await seal();
    for (const broken of [
      message.replace("ARC-Seal:", "X-Seal:"),
      message.replaceAll("i=1", "i=2"),
      message.replace(/ b=[^;]+/u, " b=!"),
      message + message,
    ]) {
      assert.match(results(await checked(keyOf("list.example"), { message: broken })), /arc=fail/u);
    }
  });
});

describe("DMARC", () => {
  it("asks to refuse what neither SPF nor DKIM prove", async () => {
    const verdict = await checked({ ...textAt("evil.example", "v=spf1 +all"), ...REJECT }, { mailFrom: "x@evil.example" });
    assert.equal(verdict.policy, "reject");
    assert.ok(verdict.mailFromValidated && !verdict.msgFromValidated && !verdict.isUndecided);
  });

  it("is asked of the organisation for a name below it", async () => {
    const zone = textAt("_dmarc.sender.example", "v=DMARC1; p=reject; sp=quarantine");
    assert.equal((await checked(zone, { authors: ["news.sender.example"] })).policy, "quarantine");
  });

  it("holds by a name of the same organisation, unless it is strict", async () => {
    const zone = { ...SPF, ...textAt("_dmarc.news.sender.example", "v=DMARC1; p=reject") };
    assert.ok((await checked(zone, { authors: ["news.sender.example"] })).msgFromValidated);
    const strict = { ...SPF, ...textAt("_dmarc.news.sender.example", "v=DMARC1; p=reject; aspf=s") };
    const verdict = await checked(strict, { authors: ["news.sender.example"] });
    assert.equal(verdict.policy, "reject");
    assert.ok(!verdict.msgFromValidated);
  });

  for (const [tag, policy] of [
    ["t=y", "quarantine"],
    ["pct=0", "quarantine"],
    ["pct=50", "reject"],
  ] as const) {
    it(`of an owner who says ${tag} asks for ${policy} instead of reject`, async () => {
      assert.equal((await checked(textAt("_dmarc.sender.example", `v=DMARC1; p=reject; ${tag}`))).policy, policy);
    });
  }

  it("is the strictest of several authors'", async () => {
    const verdict = await checked(
      { ...SPF, ...textAt("_dmarc.bank.example", "v=DMARC1; p=reject") },
      { authors: ["sender.example", "bank.example"] },
    );
    assert.equal(verdict.policy, "reject");
    assert.ok(!verdict.msgFromValidated);
  });

  it("asks for nothing when its record cannot be had", async () => {
    const verdict = await checked({ "_dmarc.sender.example": "SERVFAIL" });
    assert.equal(verdict.policy, "none");
    assert.match(results(verdict), /dmarc=temperror/u);
  });

  it("is not put off by trouble with a domain that has nothing to do with it", async () => {
    const verdict = await checked({ "evil.example": "SERVFAIL", ...REJECT }, { mailFrom: "x@evil.example" });
    assert.equal(verdict.policy, "reject");
    assert.ok(!verdict.isUndecided);
  });
});

describe("a DNS that does not answer", () => {
  it("is waited for no longer than there is patience", async () => {
    const silent = { "sender.example": "silence", "_dmarc.sender.example": "silence" } as const;
    const verdict = await checked(silent, {
      onBody: (advance) => {
        setImmediate(() => {
          advance(20_000);
        });
      },
    });
    assert.match(results(verdict), /spf=temperror/u);
    assert.match(results(verdict), /dmarc=temperror/u);
    assert.equal(verdict.policy, "none");
  });
});

describe("what a sender calls itself", () => {
  it("cannot add to the results", async () => {
    const verdict = await checked({}, { mailFrom: '"a;dkim=pass(\\"b"@sender.example', helo: "x);dmarc=pass" });
    for (const line of verdict.fields.split("\r\n")) assert.ok(line === "" || /^(?:[A-Z]|\t)/u.test(line));
    const outsideQuotes = verdict.fields.replace(/"(?:[^"\\]|\\.)*"/gu, "");
    assert.ok(!outsideQuotes.includes("=pass"), outsideQuotes);
  });
});
