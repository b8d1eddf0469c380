import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { afterEach, describe, it } from "node:test";

import type { ResolvedAddress } from "../../../src/adapters/webhook/guarded-connector.ts";
import {
  callOnce,
  connectionIsBack,
  httpReceiver,
  localCaller,
  never,
  onEachRequest,
  openResources,
  type Receiver,
  someCall,
  tcpReceiver,
} from "./receiver.ts";

const { keep: kept, closeAll } = openResources();
afterEach(closeAll);

const problem = async (url: string, changes: Parameters<typeof callOnce>[1] = {}): Promise<string> => {
  const outcome = await callOnce(url, changes);
  return outcome.kind === "unreachable" ? outcome.result.error : outcome.kind;
};

const v4 = (address: string): ResolvedAddress => ({ address, family: 4 });

/** Ways to write an address of this machine, or of a network beside it, into a URL. */
const NOTATIONS: readonly (readonly [string, string])[] = [
  ["127.0.0.1", "127.0.0.1"],
  ["127.1", "127.0.0.1"],
  ["127.0.0.1.", "127.0.0.1"],
  ["2130706433", "127.0.0.1"],
  ["0x7f000001", "127.0.0.1"],
  ["0x7f.0.0.0x1", "127.0.0.1"],
  ["0177.0.0.1", "127.0.0.1"],
  ["017700000001", "127.0.0.1"],
  ["①②⑦.0.0.1", "127.0.0.1"],
  ["127。0。0。1", "127.0.0.1"],
  ["%31%32%37.0.0.1", "127.0.0.1"],
  ["0", "0.0.0.0"],
  ["[::1]", "::1"],
  ["[0:0:0:0:0:0:0:1]", "::1"],
  ["[::]", "::"],
  ["[::ffff:127.0.0.1]", "::ffff:7f00:1"],
  ["[::ffff:7f00:1]", "::ffff:7f00:1"],
  ["[::127.0.0.1]", "::7f00:1"],
  ["[64:ff9b::127.0.0.1]", "64:ff9b::7f00:1"],
  ["[2002:7f00:1::]", "2002:7f00:1::"],
  ["[fe80::1]", "fe80::1"],
  ["169.254.169.254", "169.254.169.254"],
  ["3232235777", "192.168.1.1"],
];

describe("a URL into a network that must not be reached", () => {
  for (const [written, address] of NOTATIONS) {
    it(`is refused however it is written: ${written}`, async () => {
      const error = await problem(`http://${written}:1/`, { allowedNetworks: [] });
      assert.match(error, /^address \S+ is in .* and not allowed$/u);
      assert.ok(error.startsWith(`address ${address} `), error);
    });
  }

  it("is refused when its name leads there", async () => {
    assert.match(
      await problem("http://localhost:1/", { allowedNetworks: [] }),
      /^address (?:127\.0\.0\.1|::1) is in the loopback network and not allowed$/u,
    );
    const resolve = () => Promise.resolve([v4("10.0.0.1")]);
    assert.equal(await problem("https://metadata.example/", { resolve }), "address 10.0.0.1 is in a private network and not allowed");
  });

  it("is refused with a port or a login beside it", async () => {
    assert.match(await problem("http://example.org@127.0.0.1:1/", { allowedNetworks: [] }), /loopback/u);
    assert.match(await problem("http://user:pass@[::1]:1/", { allowedNetworks: [] }), /loopback/u);
  });
});

describe("a name that changes its address", () => {
  const addressOf = (socket: Socket): string => socket.localAddress ?? "";

  it("is judged again for each connection: the second look-up gains nothing", async () => {
    let forbidden = 0;
    const allowed = kept(await httpReceiver((_request, response) => response.writeHead(200, { Connection: "close" }).end()));
    const other = kept(await tcpReceiver(() => (forbidden += 1), "127.0.0.2"));
    let asked = 0;
    const caller = kept(
      localCaller({
        resolve: () => {
          asked += 1;
          return Promise.resolve([v4(asked === 1 ? "127.0.0.1" : "127.0.0.2")]);
        },
      }),
    );
    const first = await caller.call(someCall(`http://rebinding.example:${allowed.port}/`), never());
    assert.equal(first.kind, "answered");
    const second = await caller.call(someCall(`http://rebinding.example:${other.port}/`), never());
    assert.equal(second.kind === "unreachable" && second.result.error, "address 127.0.0.2 is in the loopback network and not allowed");
    assert.equal(forbidden, 0);
  });

  it("is dialled at the address that was checked, after one look-up", async () => {
    const reached: string[] = [];
    let asked = 0;
    const receiver = kept(
      await httpReceiver((request, response) => {
        reached.push(addressOf(request.socket));
        response.end();
      }),
    );
    const resolve = () => {
      asked += 1;
      return Promise.resolve([v4("127.0.0.1")]);
    };
    const outcome = await callOnce(`http://name.example:${receiver.port}/`, { resolve });
    assert.equal(outcome.kind, "answered");
    assert.deepEqual([asked, reached], [1, ["127.0.0.1"]]);
  });

  it("is dialled only at those of its addresses that are allowed", async () => {
    let forbidden = 0;
    const receiver = kept(await httpReceiver((_request, response) => response.end()));
    const trap = kept(await tcpReceiver(() => (forbidden += 1), "127.0.0.2"));
    assert.notEqual(trap.port, 0);
    const resolve = () => Promise.resolve([v4("127.0.0.2"), v4("10.0.0.1"), v4("127.0.0.1")]);
    assert.equal((await callOnce(`http://several.example:${receiver.port}/`, { resolve })).kind, "answered");
    assert.equal((await callOnce(`http://several.example:${trap.port}/`, { resolve })).kind, "unreachable");
    assert.equal(forbidden, 0);
  });

  it("is refused when its resolver answers nonsense", async () => {
    const resolve = () => Promise.resolve([v4("not an address")]);
    assert.match(await problem("http://odd.example/", { resolve }), /not allowed$/u);
  });
});

/** A receiver that answers with these octets once a request has come. */
const saying = async (text: string | Buffer, after: (socket: Socket) => void = () => undefined): Promise<Receiver> =>
  kept(
    await tcpReceiver((socket) => {
      onEachRequest(socket, () => {
        socket.write(text);
        after(socket);
      });
    }),
  );

describe("a receiver that misbehaves", () => {
  it("and never answers is given up at the deadline", async () => {
    const receiver = await saying("");
    assert.equal(await problem(receiver.url, { deadlineMs: 60 }), "no answer within 0.06 seconds");
  });

  it("and never takes the connection's TLS further is given up at the deadline", async () => {
    const receiver = await saying("");
    assert.match(await problem(receiver.url.replace("http:", "https:"), { deadlineMs: 60 }), /no answer within|timed out/u);
  });

  it("and drips its headers is given up at the deadline", async () => {
    let drip: NodeJS.Timeout | undefined;
    const receiver = await saying("HTTP/1.1 200 OK\r\nX-A: ", (socket) => {
      drip = setInterval(() => socket.write("a"), 10);
      socket.once("close", () => {
        clearInterval(drip);
      });
    });
    assert.equal(await problem(receiver.url, { deadlineMs: 100 }), "no answer within 0.1 seconds");
    clearInterval(drip);
  });

  it("and drips its body has answered: the status counts", async () => {
    const receiver = await saying("HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\nhalf");
    const outcome = await callOnce(receiver.url, { deadlineMs: 100 });
    assert.deepEqual(outcome.kind === "answered" && [outcome.result.status, outcome.result.response], [202, "half"]);
  });

  it("and breaks off within its body has answered too", async () => {
    const receiver = await saying("HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf", (socket) => socket.destroySoon());
    const outcome = await callOnce(receiver.url);
    assert.deepEqual(outcome.kind === "answered" && [outcome.result.status, outcome.result.response], [500, "half"]);
  });

  it("and answers without end is not read to the end", async () => {
    let sent = 0;
    let closed: () => void = () => undefined;
    const over = new Promise<void>((resolve) => (closed = resolve));
    const receiver = await saying("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", (socket) => {
      const chunk = Buffer.alloc(65_536, "x");
      const more = (): void => {
        while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
      };
      socket.on("drain", more);
      socket.on("error", () => undefined);
      socket.once("close", closed);
      more();
    });
    const outcome = await callOnce(receiver.url);
    assert.deepEqual(outcome.kind === "answered" && [outcome.result.status, outcome.result.response.length], [200, 512]);
    await over;
    assert.ok(sent < 100_000_000, `${sent} octets were taken`);
  });

  it("and does not speak HTTP is told apart from one that closes", async () => {
    assert.equal(await problem((await saying("220 mail.example ESMTP\r\n")).url), "answer is not valid HTTP");
    assert.equal(await problem((await saying("HTTP/1.1 abc\r\n\r\n")).url), "answer is not valid HTTP");
    assert.equal(
      await problem((await saying("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")).url),
      "answer is not valid HTTP",
    );
    assert.equal(await problem((await saying("", (socket) => socket.end())).url), "connection closed without an answer");
    assert.equal(await problem((await saying("", (socket) => socket.resetAndDestroy())).url), "connection closed without an answer");
  });

  it("and sends headers without end is refused", async () => {
    assert.equal(
      await problem((await saying(`HTTP/1.1 200 OK\r\n${`X-A: ${"a".repeat(1_000)}\r\n`.repeat(40)}\r\n`)).url),
      "headers of the answer are too large",
    );
  });

  it("and says 103 first is heard to its end", async () => {
    const receiver = await saying("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    const outcome = await callOnce(receiver.url);
    assert.deepEqual(outcome.kind === "answered" && [outcome.result.status, outcome.result.response], [200, "ok"]);
  });

  it("and answers twice to one request does not confuse the next call", async () => {
    const receiver = kept(
      await tcpReceiver((socket) => {
        onEachRequest(socket, () => {
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsmuggle");
        });
      }),
    );
    const caller = kept(localCaller());
    for (let id = 0; id < 3; id += 1) {
      const outcome = await caller.call(someCall(receiver.url, { id }), never());
      assert.equal(outcome.kind === "answered" && outcome.result.response, "a");
      await connectionIsBack();
    }
  });
});
