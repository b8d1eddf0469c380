/** Parts of messages that are large, and the memory that there is for them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { afterEach, describe, it } from "node:test";
import { messageMethods } from "../../../../src/adapters/http/webapi/message-methods.ts";
import { readMail } from "../../../../src/adapters/mime/reader/read-mail.ts";
import { readPart } from "../../../../src/adapters/mime/reader/read-part.ts";
import { idSource } from "../../../../src/domain/ids.ts";
import { mailboxes } from "../../../../src/domain/received/mailboxes.ts";
import { receiving } from "../../../../src/domain/received/receive.ts";
import { actorRuntime } from "../../../../src/domain/runtime/actor.ts";
import { receivedKind } from "../../../../src/domain/runtime/kinds.ts";
import { memoryLog } from "../../../support/memory-log.ts";
import { memoryReadModel } from "../../../support/memory-read-model.ts";
import { NOON } from "../../../support/samples.ts";
import { virtualClock } from "../../../support/virtual-clock.ts";
import { LOGIN, startWebapi, type TestServer } from "../support/webapi-server.ts";

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close(0);
});

/** A server with a message of so many octets and a little more, whose requests may hold so many. */
const serverWith = async ({ octets, maxBuffered }: { readonly octets: number; readonly maxBuffered: number }) => {
  const log = memoryLog();
  const clock = virtualClock(NOON);
  const receive = receiving({ log, clock, nextId: idSource(0, clock.now), directory: { account: () => undefined } });
  const received = actorRuntime({ log, kind: receivedKind, remember: 100, terms: () => ({ now: clock.now() }) });
  const boxes = mailboxes({ received, readModel: memoryReadModel(log) });
  const methods = messageMethods({ mailboxes: boxes, contents: log.contents, readMail, readPart });
  const server = await startWebapi({ methods, bodies: { maxBuffered } });
  servers.push(server);
  const [MsgID] = await receive({
    ...{ mailFrom: "", from: "", subject: "", messageId: "", remoteAddress: "192.0.2.9", report: null, automated: false },
    ...{ mailFromValidated: false, msgFromValidated: false, dkimVerifiedDomains: [] },
    content: [Buffer.from(`Subject: large\r\n\r\n${"x".repeat(octets - 2)}\r\n`)],
    recipients: [{ address: "shop@example.org", account: "shop", tag: "" }],
  });
  const body = new URLSearchParams({ request: JSON.stringify({ MsgID, PartPath: [] }) }).toString();
  /** The answer, nothing of whose body is read. */
  const ask = async (): Promise<IncomingMessage> => {
    const headers = { authorization: LOGIN, "content-type": "application/x-www-form-urlencoded", "content-length": body.length };
    const asked = request(`${server.origin}/webapi/v0/MessagePartGet`, { method: "POST", headers, agent: false });
    asked.end(body);
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    return answer;
  };
  return ask;
};

const octetsOf = async (answer: IncomingMessage): Promise<number> => {
  let octets = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) octets += chunk.length;
  return octets;
};

describe("a large part of a message", () => {
  it("is answered 503 when it does not fit into memory", async () => {
    const ask = await serverWith({ octets: 10_000, maxBuffered: 15_000 });
    const answer = await ask();
    assert.deepEqual([answer.statusCode, answer.headers["retry-after"]], [503, "5"]);
    answer.resume();
  });

  it("is answered again and again when it fits once", async () => {
    const ask = await serverWith({ octets: 10_000, maxBuffered: 30_000 });
    for (let count = 0; count < 5; count += 1) {
      const answer = await ask();
      assert.deepEqual([answer.statusCode, await octetsOf(answer)], [200, 10_000]);
    }
  });

  it("counts until its client has taken it, or has gone", async () => {
    const octets = 16_000_000;
    const ask = await serverWith({ octets, maxBuffered: 50_000_000 });
    const slow = await ask();
    assert.equal(slow.statusCode, 200);
    const second = await ask();
    assert.equal(second.statusCode, 503);
    second.resume();
    slow.on("error", () => undefined);
    slow.destroy();
    const givenUpAt = performance.now() + 20_000;
    for (;;) {
      const answer = await ask();
      const taken = await octetsOf(answer);
      if (answer.statusCode === 200) {
        assert.equal(taken, octets);
        break;
      }
      assert.ok(performance.now() < givenUpAt, "the room was not given back");
    }
  });
});
