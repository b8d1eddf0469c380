import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, describe, it } from "node:test";
import { houses, LOGIN, type House } from "../support/posthorn.ts";

const house = houses();

const opened: Socket[] = [];
after(() => {
  for (const socket of opened) socket.destroy();
});

const dial = async ({ base }: House): Promise<Socket> => {
  const socket = connect(Number(new URL(base()).port), "127.0.0.1");
  socket.on("error", () => undefined);
  opened.push(socket);
  await once(socket, "connect");
  return socket;
};

const HEAD = [
  "POST /webapi/v0/Send HTTP/1.1",
  "Host: posthorn.example",
  `Authorization: Basic ${Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString("base64")}`,
  "Content-Type: application/x-www-form-urlencoded",
].join("\r\n");

/** What comes back until the server closes the connection. */
const heard = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.once("close", () => {
      resolve(text);
    });
  });

describe("a client that sends too much", () => {
  it("is told so before it has sent it, and nothing is queued", async () => {
    const ours = await house({ config: { maxMessageSize: "10KB" } });
    const socket = await dial(ours);
    const answer = heard(socket);
    socket.write(`${HEAD}\r\nContent-Length: 900000000\r\nConnection: close\r\n\r\nrequest=`);
    assert.match(await answer, /^HTTP\/1.1 400 [^]*"messageTooLarge"/u);
    assert.deepEqual(await ours.list("/queue"), []);
  });

  it("is told so when it announces no length and goes on and on", async () => {
    const ours = await house({ config: { maxMessageSize: "10KB" } });
    const socket = await dial(ours);
    const answer = heard(socket);
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    let left = 100;
    const flood = (): void => {
      while (!socket.destroyed && left-- > 0 && socket.write(chunk)) continue;
    };
    socket.on("drain", flood);
    socket.write(`${HEAD}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`);
    flood();
    assert.match(await answer, /^HTTP\/1.1 400 [^]*"messageTooLarge"/u);
  });

  it("cannot queue a message that is larger than allowed", async () => {
    const ours = await house({ config: { maxMessageSize: "10KB" } });
    const { status, body } = await ours.webapi("Send", { To: [{ Address: "bob@there.example" }], Text: "x".repeat(10_001) });
    assert.deepEqual([status, (body as { Code: string }).Code], [400, "messageTooLarge"]);
    await ours.sendTo("bob@there.example");
    await ours.receiver.next("delivered");
  });
});

describe("a client that speaks no HTTP", () => {
  it("is answered 400 and cut off", async () => {
    const ours = await house();
    const socket = await dial(ours);
    const answer = heard(socket);
    socket.write("EHLO there\r\n\r\n");
    assert.match(await answer, /^HTTP\/1.1 400 /u);
  });
});

describe("clients that dawdle", () => {
  it("keep nobody else waiting, and are cut off at the end of their time", async () => {
    const ours = await house();
    const dawdlers = await Promise.all(Array.from({ length: 100 }, () => dial(ours)));
    const ends = dawdlers.map(heard);
    for (const [index, socket] of dawdlers.entries()) {
      // Half of them never end their header, the others never send the body they announced.
      socket.write(index % 2 === 0 ? `${HEAD}\r\nX-Wait: ` : `${HEAD}\r\nContent-Length: 1000\r\n\r\nrequest=`);
    }
    await ours.sendTo("bob@there.example");
    await ours.receiver.next("delivered");
    const cut = await Promise.all(ends.filter((_, index) => index % 2 === 0));
    for (const text of cut) assert.match(text, /^HTTP\/1.1 408 /u);
    await ours.sendTo("bob@there.example");
    await ours.receiver.next("delivered");
    for (const socket of dawdlers) socket.destroy();
  });
});
