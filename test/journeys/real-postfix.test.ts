/** Delivery to a real Postfix by way of DNS and STARTTLS: what it takes, what it refuses, and what it sends back. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";

import { parseReport } from "../../src/adapters/mime/report/parse-report.ts";
import { localDns, type LocalDns } from "../support/local-dns.ts";
import { houses, type House, type HouseOptions } from "../support/posthorn.ts";
import { postfixMissing, realPostfix, type RealPostfix } from "../support/real-postfix.ts";
import { ALL_EXTENSIONS, scriptedRemote, type ScriptedRemote } from "../support/scripted-remote.ts";
import { testAuthority, tlsaOf } from "../support/test-authority.ts";

type Attempt = {
  readonly outcome: string;
  readonly code: number;
  readonly enhancedCode: string;
  readonly remoteHost: string;
  readonly transport: string;
  readonly tls: { readonly verified: boolean } | null;
  readonly policy: { readonly decidedBy: string; readonly dnssec: string } | null;
  readonly transcript: readonly string[] | null;
};

const house = houses();

describe("a real Postfix", { skip: postfixMissing }, () => {
  const keys = mkdtempSync(join(tmpdir(), "posthorn-keys-"));
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ed25519 = generateKeyPairSync("ed25519");
  /** Where Postfix hands on what it takes. Refuses bouncer@. */
  let beyond: ScriptedRemote;
  let postfix: RealPostfix;
  let dns: LocalDns;
  let authority: ReturnType<typeof testAuthority>;

  before(async () => {
    for (const [name, { privateKey }] of Object.entries({ rsa, ed25519 }))
      writeFileSync(join(keys, name), privateKey.export({ type: "pkcs8", format: "pem" }));
    authority = testAuthority();
    const certificate = authority.issue(["mx.receiver.example"]);
    beyond = await scriptedRemote({
      script: ({ phase, line }) => (phase === "RCPT" && line.includes("<bouncer@") ? "550 5.2.1 This mailbox is closed" : undefined),
      extensions: [...ALL_EXTENSIONS],
    });
    postfix = await realPostfix({
      hostName: "mx.receiver.example",
      relayPort: beyond.port,
      certificate,
      insistsOnTls: true,
      refuses: { "nobody@receiver.example": "550 5.1.1 There is nobody here", "later@receiver.example": "450 4.7.1 Not before noon" },
      headerChecks: ["/^Subject: .*lottery/ REJECT 5.7.1 We do not gamble"],
    });
    dns = await localDns(
      {
        "receiver.example": [{ type: "MX", preference: 10, exchange: "mx.receiver.example" }],
        "mx.receiver.example": [{ type: "A", address: "127.0.0.1" }],
        [`_${postfix.port}._tcp.mx.receiver.example`]: [tlsaOf(3, 1, 1, certificate.cert)],
      },
      { secure: ["."] },
    );
  });
  after(async () => {
    await postfix.close();
    await dns.close();
    await beyond.close();
    rmSync(keys, { recursive: true });
  });

  const open = (config: object = {}): Promise<House> => {
    const options: HouseOptions = {
      network: { trustedCertificates: [authority.root] },
      config: {
        dnsServers: [dns.server],
        transports: { direct: { kind: "direct", port: postfix.port, ehloName: "out.shop.example", localAddresses: ["127.0.0.3"] } },
        routes: [],
        domains: {
          "shop.example": {
            catchAllSeparator: "+",
            dkim: [
              { selector: "first", keyFile: join(keys, "rsa") },
              { selector: "second", keyFile: join(keys, "ed25519") },
            ],
          },
        },
        ...config,
      },
    };
    return house(options);
  };

  const deliver = async ({ sendTo, quiet, admin }: House, to: string, more = {}): Promise<Attempt> => {
    const id = await sendTo(to, more);
    await quiet();
    const { attempts } = await admin<{ readonly attempts: readonly Attempt[] }>("GET", `/messages/${id}`);
    assert.equal(attempts.length, 1);
    return attempts[0]!;
  };

  /** Mail that has come to somebody by way of Postfix. */
  const arrived = async (to: string): Promise<Buffer> => {
    for (let times = 1; ; times += 1) {
      const mail = beyond.mails.find((one) => one.to.includes(to));
      if (mail !== undefined) return mail.content;
      await beyond.saw("DOT", times);
    }
  };

  const published = (name: string): string[] => {
    const [key, type] = name.startsWith("first.") ? [rsa.publicKey, "rsa"] : [ed25519.publicKey, "ed25519"];
    const der = key.export({ type: "spki", format: "der" });
    return [`v=DKIM1; k=${type}; p=${(type === "rsa" ? der : der.subarray(-32)).toString("base64")}`];
  };

  it("takes a message over TLS that its DANE records vouch for, and both DKIM signatures hold behind it", async () => {
    const ours = await open();
    const attempt = await deliver(ours, "bob@receiver.example", { Subject: "Grüße", Text: "Grüße\n.dot\n\n  spaces  \n" });
    assert.deepEqual(
      [attempt.outcome, attempt.code, attempt.remoteHost, attempt.transport, attempt.tls?.verified],
      ["delivered", 250, "mx.receiver.example", "direct", true],
    );
    assert.deepEqual([attempt.policy?.decidedBy, attempt.policy?.dnssec, attempt.transcript], ["dane", "secure", null]);
    const content = await arrived("bob@receiver.example");
    assert.match(content.toString(), /^Received: from out\.shop\.example \(unknown \[127\.0\.0\.3\]\)/mu);
    const resolver = async (name: string) => [published(name)];
    const { results } = await dkimVerify(content, { resolver, curTime: new Date(ours.clock.now()) });
    assert.deepEqual(results.map(({ status, selector }) => [selector, status.result]).sort(), [
      ["first", "pass"],
      ["second", "pass"],
    ]);
  });

  it("takes it over TLS that authorities vouch for where DANE is not used", async () => {
    const attempt = await deliver(await open({ dnssec: "off" }), "ann@receiver.example");
    assert.deepEqual([attempt.outcome, attempt.tls?.verified], ["delivered", true]);
    assert.deepEqual([attempt.policy?.decidedBy, attempt.policy?.dnssec], ["none", "unavailable"]);
  });

  for (const [what, to, more, outcome, code, enhancedCode, last] of [
    ["a recipient for good", "nobody@receiver.example", {}, "failed", 550, "5.1.1", "There is nobody here"],
    ["a recipient for now", "later@receiver.example", {}, "deferred", 450, "4.7.1", "Not before noon"],
    ["a content", "bob@receiver.example", { Subject: "You won the lottery" }, "failed", 550, "5.7.1", "We do not gamble"],
  ] as const) {
    it(`refuses ${what}, and the attempt keeps its words`, async () => {
      const attempt = await deliver(await open(), to, more);
      assert.deepEqual([attempt.outcome, attempt.code, attempt.enhancedCode], [outcome, code, enhancedCode]);
      const transcript = attempt.transcript ?? [];
      assert.ok(
        transcript.includes("> STARTTLS") && transcript.some((line) => line.startsWith("> RCPT TO:<") && line.includes("ORCPT=rfc822;")),
      );
      assert.ok(transcript.some((line) => line.startsWith("< 5") || line.startsWith("< 4")));
      assert.match(transcript.join("\n"), new RegExp(last, "u"));
    });
  }

  it("reports what it could not deliver in the end with the ENVID that it was given", async () => {
    const ours = await open();
    await deliver(ours, "bouncer@receiver.example");
    const { event } = await ours.awaitEvent("MessageQueued");
    const report = await arrived("orders@shop.example");
    assert.match(report.toString(), /^Content-Type: multipart\/report; report-type=delivery-status/mu);
    assert.match(report.toString(), new RegExp(`^Original-Envelope-Id: ${event.envelopeId}\\r$`, "mu"));
    assert.match(report.toString(), /^Original-Recipient: rfc822;bouncer@receiver\.example\r$/mu);
    const read = await parseReport([report]);
    assert.ok(read?.kind === "dsn");
    const { originalEnvelopeId, recipients, returned } = read;
    assert.deepEqual([originalEnvelopeId, returned.messageId], [event.envelopeId, event.messageId]);
    assert.deepEqual(
      recipients.map(({ originalRecipient, action, code, enhancedCode, diagnostic }) => ({
        ...{ originalRecipient, action, code, enhancedCode, diagnostic },
      })),
      [
        {
          ...{ originalRecipient: "bouncer@receiver.example", action: "failed", code: 550, enhancedCode: "5.2.1" },
          diagnostic: "This mailbox is closed",
        },
      ],
    );
    const submitted = await ours.list("/retired");
    assert.equal(submitted.length, 1);
  });
});
