/** What is shown of failures: their class and rule, what the servers said, what is uncertain, and where it can be asked for. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { happened, NOON, smtpResult } from "../../../support/samples.ts";
import { runCommand } from "../../cli/run-command.ts";
import { adminWorld, type AdminWorld } from "./admin-world.ts";

const FULL = { class: "mailbox-full", rule: "enhanced-full" } as const;
const NO_USER = { class: "bad-address", rule: "no-such-user" } as const;

const TRANSCRIPT = ["< 220 mx.there.example", "> RCPT TO:<bob@there.example>", "< 452 4.2.2 <script>alert(1)</script>\u001b[31m"];

describe("failures", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
    const wishes = { notify: ["failure", "delay"], returnContent: "full", originalRecipient: "rfc822;bob@old.example" } as const;
    await world.queue([1], { ...wishes, envelopeId: "ENV<1>" });
    await world.queue([2, 3, 4], { envelopeId: "" });
    const deferred = { result: smtpResult(452, "4.2.2", { transcript: TRANSCRIPT }), bounce: FULL, callId: 501 };
    await world.tell("message-1", [
      happened("DeliveryAttempted"),
      happened("DeliveryDeferred", deferred),
      happened("DeliveryAttempted", { attempt: 2 }),
      happened("DeliveryFailed", { attempt: 2, result: smtpResult(550, "5.1.1"), bounce: NO_USER, callId: 502 }),
      happened("MessageRetired"),
    ]);
    await world.tell("message-2", [happened("DeliveryAttempted"), happened("DeliveryDeferred", deferred)]);
    await world.tell("message-3", [happened("DeliveryAttempted"), happened("DeliveryUncertain")]);
    await world.tell("recipient-shop/bob@there.example", [
      {
        type: "SuppressionAdded",
        at: NOON,
        id: 900,
        account: "shop",
        baseAddress: "bob@there.example",
        originalAddress: "bob@there.example",
        manual: false,
        reason: "delivery failed with 550 5.1.1",
        cause: { stream: "message-1", revision: 4 },
        by: { kind: "system", name: "delivery" },
      },
    ]);
  });
  after(() => world.stop());

  const idsAt = async (path: string) => ((await world.call(path)).get("items") as readonly { readonly id: number }[]).map(({ id }) => id);
  const pageAt = async (path: string) => (await fetch(`${world.base}${path}`)).text();
  const run = async (...words: readonly string[]) => (await runCommand(world.base, words)).out;

  it("have their class and rule in the lists and the history of the admin API", async () => {
    const { get } = await world.call("/messages/1");
    const shown = [get("message.bounceClass"), get("message.bounceRule"), get("attempts.0.bounceClass"), get("attempts.0.bounceRule")];
    assert.deepEqual(shown, ["bad-address", "no-such-user", "mailbox-full", "enhanced-full"]);
    assert.match(String(get("events.2.text")), /\(mailbox-full, by rule enhanced-full\)/);
  });

  it("are found by their class, and what is uncertain by its state", async () => {
    assert.deepEqual(await idsAt("/queue?bounceClass=mailbox-full"), [2]);
    assert.deepEqual(await idsAt("/queue?bounceClass=spam"), []);
    assert.deepEqual(await idsAt("/retired?bounceClass=bad-address"), [1]);
    assert.deepEqual(await idsAt("/retired?bounceClass=mailbox-full"), []);
    assert.deepEqual(await idsAt("/queue?state=uncertain"), [3]);
    assert.equal((await world.call("/queue?bounceClass=bad")).status, 400);
    const dryRun = { action: { type: "hold" }, filter: { bounceClass: "mailbox-full" }, dryRun: true };
    assert.equal((await world.call("/queue/actions", { body: dryRun })).get("matched"), 1);
  });

  it("are listed and shown by the command line", async () => {
    assert.match(await run("queue", "list", "--class", "mailbox-full"), /^ID .* CLASS .*\n *2 .* mailbox-full +452 no luck\n$/u);
    assert.match(await run("retired", "list", "--class", "bad-address"), /^ID .* CLASS .*\n *1 .* bad-address +550 no luck\n$/u);
    const shown = await run("queue", "show", "1");
    assert.match(shown, /^last failure: +bad-address, by rule no-such-user$/mu);
    assert.match(shown, /^envelope id: +ENV<1>$/mu);
    assert.match(shown, /^ {4}> RCPT TO:<bob@there\.example>$/mu);
    assert.doesNotMatch(shown, /\u001b/u);
    assert.match(await run("events", "stream", "message-1"), /DeliveryFailed: .*\(bad-address, by rule no-such-user\)/u);
    assert.match(await run("suppressions", "list"), /CAUSE.*\n.*message-1 /u);
  });

  it("say what an operator can do when nobody knows whether a message arrived", async () => {
    assert.match(await run("queue", "list", "--state", "uncertain"), /\n *3 +uncertain /u);
    assert.match(await run("queue", "show", "3"), /^what to do: .*queue release --id 3.*queue fail --id 3/mu);
    assert.match(await pageAt("/messages/3"), /posthorn queue release --id 3<.*posthorn queue fail --id 3<.*posthorn queue drop --id 3</su);
    assert.match(await pageAt("/queue"), /uncertain/u);
  });

  it("are on the page of their message, with what the servers said, escaped", async () => {
    const page = await pageAt("/messages/1");
    assert.match(page, /<summary>what the servers said<\/summary>/u);
    assert.match(page, /&gt; RCPT TO:&lt;bob@there\.example&gt;/u);
    assert.doesNotMatch(page, /<script>/u);
    assert.match(page, /bad-address <span class="soft">by rule no-such-user<\/span>/u);
    assert.match(page, /<small title="by rule enhanced-full">mailbox-full<\/small>/u);
    assert.match(page, /<code>ENV&lt;1&gt;<\/code>/u);
    for (const said of ["failure, delay", "the whole message", "rfc822;bob@old.example"]) assert.ok(page.includes(said), said);
  });

  it("lead to the report that the sender got", async () => {
    const page = await pageAt("/messages/1");
    assert.match(page, /href="\/received\/502">report to the sender</u);
    assert.doesNotMatch(page, /href="\/received\/501"/u, "none for a first delay");
  });

  it("are named as the cause of a suppression", async () => {
    assert.match(await pageAt("/suppressions"), /<a href="\/messages\/1">message 1<\/a>/u);
  });
});
