import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { transcriptOf } from "../../../src/adapters/smtp-out/transcript.ts";
import { at, delivery, noSignal, resultOf, stages } from "../../support/scripted-courier.ts";

/** Takes down a dialogue written as a transcript shows it. */
const after = (lines: readonly string[], secrets: readonly string[] = []) => {
  const transcript = transcriptOf(secrets);
  for (const line of lines) {
    if (line.startsWith("> ")) transcript.sent(line.slice(2));
    else transcript.came(line.slice(2));
  }
  return transcript;
};

describe("a transcript", () => {
  it("has commands and replies in order, each reply behind its command though the commands were sent ahead", () => {
    const { said } = after(["< 220 hello", "> MAIL FROM:<a@b>", "> RCPT TO:<c@d>", "> DATA", "< 250 ok", "< 550 5.1.1 no", "< 554 nobody"]);
    assert.deepEqual(said()(), [
      "< 220 hello",
      "> MAIL FROM:<a@b>",
      "< 250 ok",
      "> RCPT TO:<c@d>",
      "< 550 5.1.1 no",
      "> DATA",
      "< 554 nobody",
    ]);
  });

  it("leaves out what was said about other recipients", () => {
    const { said } = after(["< 220 hello", "> RCPT TO:<c@d> NOTIFY=NEVER", "> RCPT TO:<x@y>", "< 250 ok", "< 550 no"]);
    assert.deepEqual(said()("c@d"), ["< 220 hello", "> RCPT TO:<c@d> NOTIFY=NEVER", "< 250 ok"]);
  });

  it("has no credentials, by whatever mechanism they go and whoever repeats them", () => {
    const secret = "open sesame";
    const inBase64 = Buffer.from(secret).toString("base64");
    const { said } = after(
      [
        "< 220 hello",
        `> AUTH PLAIN ${inBase64}`,
        `< 535 bad: ${secret}`,
        "> AUTH LOGIN",
        "< 334 VXNlcm5hbWU6",
        "> dXNlcg==",
        "< 334 UGFz",
        `> ${inBase64}`,
        `< 535 not ${inBase64}`,
        "> QUIT",
      ],
      [secret],
    );
    const lines = said()();
    assert.ok(!lines.join().includes(secret) && !lines.join().includes(inBase64) && !lines.join().includes("dXNlcg"), lines.join("\n"));
    assert.deepEqual(lines.slice(1), [
      "> AUTH PLAIN (credentials)",
      "< 535 bad: (credentials)",
      "> AUTH LOGIN",
      "< 334 (challenge)",
      "> (credentials)",
      "< 334 (challenge)",
      "> (credentials)",
      "< 535 not (credentials)",
      "> QUIT",
    ]);
  });

  it("says that there was a message, and not what was in it", () => {
    const { said } = after(["< 220 hello", "> DATA", "< 354 go on", "< 451 4.3.0 later"]);
    assert.deepEqual(said()().slice(1), ["> DATA", "< 354 go on", "> (the message)", "< 451 4.3.0 later"]);
  });

  it("of a session's later transactions has its beginning, and not the transactions before", () => {
    const transcript = after(["< 220 hello", "> EHLO us", "< 250 them"]);
    transcript.begin();
    transcript.sent("MAIL FROM:<first>");
    transcript.came("250 ok");
    const first = transcript.said();
    transcript.begin();
    transcript.sent("MAIL FROM:<second>");
    assert.deepEqual(transcript.said()(), ["< 220 hello", "> EHLO us", "< 250 them", "> MAIL FROM:<second>"]);
    assert.deepEqual(first().slice(3), ["> MAIL FROM:<first>", "< 250 ok"]);
  });

  it("stays small, whatever is said: the beginning and more of the end", () => {
    const transcript = after(["< 220 hello"]);
    for (let index = 0; index < 3_000; index += 1) {
      transcript.sent(`RCPT TO:<${index}@there.example>`);
      transcript.came(`550-${"ü".repeat(5_000)}\n`.repeat(3) + "550 no");
    }
    transcript.sent("QUIT");
    const lines = transcript.said()();
    assert.ok(lines.length <= 50, `${lines.length} lines`);
    assert.ok(Buffer.byteLength(lines.join("\n")) < 8_000);
    assert.equal(lines[0], "< 220 hello");
    assert.equal(lines.at(-1), "> QUIT");
    assert.ok(lines.some((line) => /^\(\d+ lines left out\)$/u.test(line)));
  });

  it("is one line a line, whatever control characters come", () => {
    const { said } = after(["< 220 he\u0000llo\u001b[31m\r\u2028x"]);
    assert.deepEqual(said()(), ["< 220 he llo [31m x"]);
  });
});

describe("an attempt", () => {
  const stage = stages();

  it("that fails keeps what was said, up to the reply that ended it", async () => {
    const { courier } = await stage({ script: at("DOT", "554 5.7.1 No thanks"), extensions: [] });
    const { transcript } = resultOf((await courier.deliver(delivery(), noSignal())).get(1));
    assert.deepEqual(transcript, [
      "< 220 remote.example ESMTP",
      "> EHLO sender.example",
      "< 250 remote.example",
      "> MAIL FROM:<app@sender.example>",
      "< 250 2.0.0 Fine",
      "> RCPT TO:<you@receiver.example>",
      "< 250 2.0.0 Fine",
      "> DATA",
      "< 354 Go on",
      "> (the message)",
      "< 554 5.7.1 No thanks",
    ]);
  });

  it("keeps for each recipient what was said about that one", async () => {
    const script = ({ phase, line }: { phase: string; line: string }) =>
      phase === "RCPT" && line.includes("<b@") ? "550 5.1.1 Gone" : undefined;
    const { courier } = await stage({ script });
    const recipients = ["a", "b"].map((name, index) => ({
      messageId: index,
      address: `${name}@receiver.example`,
      notify: null,
      originalRecipient: "",
    }));
    const outcomes = await courier.deliver(delivery({ recipients }), noSignal());
    assert.equal(resultOf(outcomes.get(0)).transcript, undefined);
    const { transcript = [] } = resultOf(outcomes.get(1));
    assert.ok(transcript.includes("> RCPT TO:<b@receiver.example>") && transcript.includes("< 550 5.1.1 Gone"));
    assert.ok(!transcript.join().includes("<a@"));
  });

  it("that meets a closed door keeps the door's words", async () => {
    const { courier } = await stage({ script: at("CONNECT", "554 5.7.1 Your address is listed") });
    assert.deepEqual(resultOf((await courier.deliver(delivery(), noSignal())).get(1)).transcript, ["< 554 5.7.1 Your address is listed"]);
  });

  it("that reached nobody has none", async () => {
    const { courier, remote } = await stage();
    await remote.close();
    assert.equal(resultOf((await courier.deliver(delivery(), noSignal())).get(1)).transcript, undefined);
  });

  it("over a login has no password in it", async () => {
    const options = { extensions: ["AUTH LOGIN"], script: at("AUTH", "535 5.7.8 No: secret!") };
    const { courier } = await stage(options, {}, { auth: { user: "somebody", password: "secret!" } });
    const outcome = (await courier.deliver(delivery(), noSignal())).get(1);
    const { transcript = [] } = resultOf(outcome);
    assert.ok(transcript.includes("> AUTH LOGIN"));
    assert.ok(!transcript.join().includes("secret!"));
  });
});
