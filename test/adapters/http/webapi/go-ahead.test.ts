/** Clients that ask before they send a body, as curl does with large ones. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { basic, LOGIN, startWebapi, type TestServer } from "../support/webapi-server.ts";

const BODY = `request=${encodeURIComponent(JSON.stringify({ To: [{ Address: "bob@example.net" }], Text: "hi" }))}`;
const GO_ON = "HTTP/1.1 100 Continue\r\n\r\n";

let server: TestServer;
before(async () => {
  server = await startWebapi();
});
after(() => server.close(0));

type Visitor = { readonly socket: Socket; readonly until: (end: string) => Promise<string>; readonly rest: () => Promise<string> };

const visit = (): Visitor => {
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => undefined);
  let heard = "";
  socket.on("data", (chunk: Buffer) => (heard += chunk.toString()));
  return {
    socket,
    until: async (end) => {
      while (!heard.includes(end)) await once(socket, "data");
      const answer = heard;
      heard = "";
      return answer;
    },
    rest: async () => {
      if (!socket.closed) await once(socket, "close");
      return heard;
    },
  };
};

const asking = (authorization = LOGIN, length = BODY.length): string =>
  `POST /webapi/v0/Send HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nAuthorization: ${authorization}\r\n` +
  `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${length}\r\n\r\n`;

describe("a client that asks before it sends", () => {
  it("is told to go on, again and again on one connection", async () => {
    const { socket, until } = visit();
    for (let turn = 0; turn < 2; turn += 1) {
      socket.write(asking());
      assert.equal(await until(GO_ON), GO_ON);
      socket.write(BODY);
      assert.match(await until("Submissions"), /^HTTP\/1\.1 200 /u);
    }
    socket.destroy();
  });

  it("need not wait for that", async () => {
    const { socket, until } = visit();
    socket.write(asking() + BODY);
    assert.match(await until("Submissions"), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /u);
    socket.destroy();
  });

  it("is refused for its login before it has sent anything", async () => {
    const { socket, rest } = visit();
    socket.write(asking(basic("somebody@example.org", "wrong")));
    assert.match(await rest(), /^HTTP\/1\.1 401 (?!.*100 Continue)/su);
  });

  it("is refused for the size that it announces before it has sent anything", async () => {
    const { socket, rest } = visit();
    socket.write(asking(LOGIN, 2 ** 40));
    assert.match(await rest(), /^HTTP\/1\.1 400 .*"messageTooLarge"/su);
  });
});
