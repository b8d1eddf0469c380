/** As whom this server appears to others: its name in EHLO and the address it dials from. */
import assert from "node:assert/strict";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";
import { afterEach, describe, it } from "node:test";

import type { Resolver } from "../../../src/adapters/dns/resolver.ts";
import { delivery, inShort, noSignal, resultOf, smarthost, stages, testCourier } from "../../support/scripted-courier.ts";
import { scriptedRemote } from "../../support/scripted-remote.ts";

const stage = stages();
const toClose: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

/** The address that a connection to a server of ours comes from, and what is said first. */
const observer = async () => {
  const seen = Promise.withResolvers<{ readonly from: string; readonly ehlo: string }>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.write("220 hello\r\n");
    socket.once("data", (data) => {
      seen.resolve({ from: socket.remoteAddress ?? "", ehlo: data.toString().trim() });
      socket.end("421 4.3.2 Enough\r\n");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  toClose.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return { port: (server.address() as AddressInfo).port, seen: seen.promise };
};

const atHome = (...addresses: readonly string[]): Resolver => ({
  mx: () => Promise.resolve({ status: "noData" }),
  addresses: () => Promise.resolve({ status: "found", records: addresses }),
});

describe("this server", () => {
  it("is called by its own name, and dials from where the system sees fit", async () => {
    const { courier, remote } = await stage();
    await courier.deliver(delivery(), noSignal());
    assert.equal(remote.steps.find(({ phase }) => phase === "EHLO")?.line, "EHLO sender.example");
  });

  it("is called as its transport says, and dials from its addresses", async () => {
    const { port, seen } = await observer();
    const courier = testCourier({
      transports: { smarthost: smarthost(port, { ehloName: "out.sender.example", localAddresses: ["127.0.0.7"] }) },
      localAddresses: ["127.0.0.8"],
    });
    await courier.deliver(delivery(), noSignal());
    await courier.close();
    assert.deepEqual(await seen, { from: "127.0.0.7", ehlo: "EHLO out.sender.example" });
  });

  it("dials from the addresses for all where a transport has none of its own", async () => {
    const { port, seen } = await observer();
    const courier = testCourier({ resolver: atHome("127.0.0.1"), directPort: port, localAddresses: ["::1", "127.0.0.8"] });
    await courier.deliver(delivery({ transport: null }), noSignal());
    await courier.close();
    assert.equal((await seen).from, "127.0.0.8");
  });

  it("does not dial where it has no address to dial from", async () => {
    const remote = await scriptedRemote();
    toClose.push(remote.close);
    const courier = testCourier({ resolver: atHome("127.0.0.1"), directPort: remote.port, localAddresses: ["::1"] });
    const outcome = (await courier.deliver(delivery({ transport: null }), noSignal())).get(1);
    await courier.close();
    assert.equal(inShort(outcome), "rejected 0 4.4.4");
    assert.match(resultOf(outcome).error, /no local address/u);
    assert.equal(remote.connections(), 0);
  });

  it("does not mix sessions of different appearances", async () => {
    const remote = await scriptedRemote();
    toClose.push(remote.close);
    const courier = testCourier({
      transports: { smarthost: smarthost(remote.port), other: smarthost(remote.port, { ehloName: "other.sender.example" }) },
    });
    for (const transport of ["smarthost", "other", "smarthost", "other"]) await courier.deliver(delivery({ transport }), noSignal());
    await courier.close();
    assert.equal(remote.connections(), 2);
  });

  it("puts a domain of another script in its A-labels, so that no extension is needed for it", async () => {
    const { courier, remote } = await stage({ extensions: [] });
    const recipients = [{ messageId: 1, address: "you@xn--bcher-kva.example", notify: null, originalRecipient: "" }];
    const outcome = (await courier.deliver(delivery({ recipients, recipientDomain: "xn--bcher-kva.example" }), noSignal())).get(1);
    assert.equal(inShort(outcome), "delivered 250 2.0.0");
    assert.deepEqual(remote.mails[0]?.to, ["you@xn--bcher-kva.example"]);
  });
});
