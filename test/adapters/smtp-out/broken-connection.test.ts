import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, it } from "node:test";

import {
  at,
  CONTENT,
  delivery,
  inShort,
  noSignal,
  resultOf,
  smarthost,
  stages,
  storing,
  testCourier,
} from "../../support/scripted-courier.ts";
import { ALL_EXTENSIONS, type Script } from "../../support/scripted-remote.ts";

const stage = stages();
const LARGE = Buffer.concat([CONTENT, Buffer.alloc(30_000_000, "0123456789abcdef\r\n")]);

const bothWays = [
  { how: "with pipelining", extensions: ALL_EXTENSIONS },
  { how: "command by command", extensions: ALL_EXTENSIONS.filter((extension) => extension !== "PIPELINING") },
];

describe("a connection that breaks", () => {
  for (const { how, extensions } of bothWays) {
    for (const phase of ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"]) {
      it(`at ${phase} leaves the message unsent, ${how}`, async () => {
        const { courier, remote } = await stage({ extensions, script: at(phase, { cut: true }) });
        const outcome = (await courier.deliver(delivery(), noSignal())).get(1);
        assert.equal(inShort(outcome), "rejected 0");
        assert.notEqual(resultOf(outcome).error, "");
        assert.equal(remote.mails.length, 0);
      });
    }

    it(`after the final dot leaves everybody in doubt, ${how}`, async () => {
      const { courier } = await stage({ extensions, script: at("DOT", { cut: true }) });
      const outcome = (await courier.deliver(delivery(), noSignal())).get(1);
      assert.equal(inShort(outcome), "uncertain 0");
      assert.equal(resultOf(outcome).remoteAddress, "127.0.0.1");
    });
  }

  it("after the final dot does not touch recipients that were refused before", async () => {
    const script: Script = ({ phase, line }) => {
      if (phase === "DOT") return { cut: true };
      return line.includes("gone") ? "550 5.1.1 Gone" : undefined;
    };
    const { courier } = await stage({ script });
    const recipients = [
      { messageId: 1, address: "you@receiver.example", notify: null, originalRecipient: "" },
      { messageId: 2, address: "gone@receiver.example", notify: null, originalRecipient: "" },
    ];
    const outcomes = await courier.deliver(delivery({ recipients }), noSignal());
    assert.deepEqual([inShort(outcomes.get(1)), inShort(outcomes.get(2))], ["uncertain 0", "rejected for good 550 5.1.1"]);
  });

  it("in the middle of the content leaves the message unsent", async () => {
    const { courier, remote } = await stage({ deafToData: true }, { contents: storing(LARGE) });
    const delivering = courier.deliver(delivery(), noSignal());
    await remote.saw("DATA");
    remote.hangUp(true);
    assert.equal(inShort((await delivering).get(1)), "rejected 0");
  });

  it("cannot be opened: the message waits", async () => {
    const { courier, remote } = await stage();
    await remote.close();
    const result = resultOf((await courier.deliver(delivery(), noSignal())).get(1));
    assert.match(result.error, /ECONNREFUSED/u);
    assert.deepEqual([result.remoteHost, result.remoteAddress], ["127.0.0.1", "127.0.0.1"]);
  });
});

describe("a remote that says nothing", () => {
  const quick = { connectMs: 200, greetingMs: 40, commandMs: 40, finalReplyMs: 40, quitMs: 40 };
  for (const phase of ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"]) {
    it(`at ${phase} is left after a while`, async () => {
      const { courier } = await stage({ script: at(phase, { hang: true }) }, { timeouts: quick });
      assert.equal(inShort((await courier.deliver(delivery(), noSignal())).get(1)), "rejected 0");
    });
  }

  it("after the final dot leaves everybody in doubt", async () => {
    const { courier } = await stage({ script: at("DOT", { hang: true }) }, { timeouts: quick });
    assert.equal(inShort((await courier.deliver(delivery(), noSignal())).get(1)), "uncertain 0");
  });

  it("is given up at the deadline, however patient each step is", async () => {
    const silent = await stage({ script: at("RCPT", { hang: true }) }, { deadlineMs: 60 });
    assert.equal(inShort((await silent.courier.deliver(delivery(), noSignal())).get(1)), "rejected 0");
    const late = await stage({ script: at("DOT", { hang: true }) }, { deadlineMs: 60 });
    assert.equal(inShort((await late.courier.deliver(delivery(), noSignal())).get(1)), "uncertain 0");
    await silent.remote.idle();
    await late.remote.idle();
  });

  it("never comes to an end of its reply, and is left", async () => {
    const { courier } = await stage({ script: at("EHLO", "250-more\r\n".repeat(20_000)) });
    assert.equal(inShort((await courier.deliver(delivery(), noSignal())).get(1)), "rejected 0");
  });

  it("talks nonsense, and is left", async () => {
    const { courier } = await stage({ script: at("CONNECT", "HTTP/1.1 400 Bad Request") });
    assert.equal(inShort((await courier.deliver(delivery(), noSignal())).get(1)), "rejected 0");
  });
});

describe("a process that stops", () => {
  for (const phase of ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"] as const) {
    it(`while the remote considers ${phase} has interrupted the delivery`, async () => {
      const { courier, remote } = await stage({ script: at(phase, { hang: true }) });
      const stop = new AbortController();
      const delivering = courier.deliver(delivery(), stop.signal);
      await remote.saw(phase);
      stop.abort();
      assert.equal(inShort((await delivering).get(1)), "interrupted");
      await remote.idle();
    });
  }

  it("after the final dot does not know how it ended", async () => {
    const { courier, remote } = await stage({ script: at("DOT", { hang: true }) });
    const stop = new AbortController();
    const delivering = courier.deliver(delivery(), stop.signal);
    await remote.saw("DOT");
    stop.abort();
    assert.equal(inShort((await delivering).get(1)), "uncertain 0");
    await remote.idle();
  });

  it("while a large content is on its way has interrupted the delivery, and nothing more leaves", async () => {
    const { courier, remote } = await stage({ deafToData: true }, { contents: storing(LARGE) });
    const stop = new AbortController();
    const delivering = courier.deliver(delivery(), stop.signal);
    await remote.saw("DATA");
    stop.abort();
    assert.equal(inShort((await delivering).get(1)), "interrupted");
    remote.hangUp();
    assert.equal(remote.mails.length, 0);
  });

  it("had stopped before the delivery began", async () => {
    const { courier, remote } = await stage();
    assert.equal(inShort((await courier.deliver(delivery(), AbortSignal.abort())).get(1)), "interrupted");
    assert.equal(remote.mails.length, 0);
  });

  it("keeps what was answered before it stopped", async () => {
    const { courier } = await stage({ script: at("RCPT", "550 5.1.1 Gone") });
    const stop = new AbortController();
    const delivering = courier.deliver(delivery(), stop.signal);
    const outcomes = await delivering;
    stop.abort();
    assert.equal(inShort(outcomes.get(1)), "rejected for good 550 5.1.1");
  });
});

describe("trouble of our own", () => {
  it("a content that is gone fails the message for good", async () => {
    const { courier } = await stage({}, { contents: { open: () => Promise.resolve(undefined) } });
    assert.equal(inShort((await courier.deliver(delivery(), noSignal())).get(1)), "rejected for good 0");
  });

  for (const { how, breaks } of [
    { how: "is deleted halfway", breaks: "throws" },
    { how: "ends before its end", breaks: "ends" },
    { how: "goes on behind its end", breaks: "goes on" },
  ]) {
    it(`a content that ${how} never gets its final dot, and makes the message wait`, async () => {
      const trouble = new Error("deleted");
      const heard: unknown[] = [];
      async function* pieces(): AsyncGenerator<Uint8Array> {
        yield LARGE.subarray(0, 1_000_000);
        if (breaks === "throws") throw trouble;
        if (breaks === "goes on") yield LARGE.subarray(1_000_000, 2_000_002);
      }
      const content = { size: 2_000_000, pieces: { [Symbol.asyncIterator]: pieces } };
      const { courier, remote } = await stage(
        {},
        { contents: { open: () => Promise.resolve(content) }, onError: (error) => heard.push(error) },
      );
      const outcome = (await courier.deliver(delivery(), noSignal())).get(1);
      assert.equal(inShort(outcome), "rejected 0");
      assert.equal(resultOf(outcome).error, "the content of the message could not be read");
      await remote.idle();
      assert.equal(remote.mails.length, 0);
      assert.equal(remote.steps.filter(({ phase }) => phase === "DOT").length, 0);
      assert.equal(remote.connections(), 1, "and it is not tried elsewhere");
      if (breaks === "throws") assert.deepEqual(heard, [trouble]);
      else assert.match(String(heard[0]), /another length/);
    });
  }

  it("a small content that cannot be read is not even begun", async () => {
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield CONTENT;
      throw new Error("deleted");
    }
    const content = { size: CONTENT.length, pieces: { [Symbol.asyncIterator]: pieces } };
    const { courier, remote } = await stage({}, { contents: { open: () => Promise.resolve(content) }, onError: () => undefined });
    assert.equal(inShort((await courier.deliver(delivery(), noSignal())).get(1)), "rejected 0");
    assert.equal(remote.connections(), 0);
  });

  it("a large content is read anew when a kept session turns out to be stale", async () => {
    const content = LARGE.subarray(0, CONTENT.length + 18 * 200_000);
    const script: Script = ({ phase, connection, accepted }) =>
      phase === "DATA" && connection === 1 && accepted === 1 ? { cutAfter: "354 Go on" } : undefined;
    const { courier, remote } = await stage({ script }, { contents: storing(content) });
    await courier.deliver(delivery(), noSignal());
    assert.equal(inShort((await courier.deliver(delivery(), noSignal())).get(1)), "delivered 250 2.0.0");
    assert.equal(remote.connections(), 2);
    assert.ok(remote.mails[1]?.content.equals(content));
  });

  it("a content store that is out of order makes the message wait, and is reported", async () => {
    const heard: unknown[] = [];
    const trouble = new Error("disk on fire");
    const { courier } = await stage({}, { contents: { open: () => Promise.reject(trouble) }, onError: (error) => heard.push(error) });
    assert.equal(inShort((await courier.deliver(delivery(), noSignal())).get(1)), "rejected 0");
    assert.deepEqual(heard, [trouble]);
  });

  it("a host that does not take connections is not waited for long", async () => {
    // Nobody accepts: the backlog of a paused listener fills, and connecting hangs or is answered by the kernel alone.
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const courier = testCourier({
      transports: { smarthost: smarthost(port) },
      timeouts: { connectMs: 40, greetingMs: 40 },
    });
    assert.equal(inShort((await courier.deliver(delivery(), noSignal())).get(1)), "rejected 0");
    await courier.close();
    server.close();
  });
});
