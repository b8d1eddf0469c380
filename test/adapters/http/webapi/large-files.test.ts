/** Files of many pieces, which change hands several times between a request and the message. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { simpleParser } from "mailparser";
import { LOGIN, startWebapi, type TestServer } from "../support/webapi-server.ts";

let server: TestServer;
before(async () => {
  server = await startWebapi({ maxMessageSize: 20_000_000 });
});
after(() => server.close(0));

/** No two stretches of it are the same. */
const octets = (length: number): Buffer => {
  const data = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) data[at] = Math.imul(at, 2654435761) >>> 13;
  return data;
};

const MINIMAL = { To: [{ Name: "", Address: "bob@example.net" }], Text: "hi" };
const LENGTHS = [0, 1, 57 * 1_024 - 1, 57 * 1_024, 57 * 1_024 + 1, 100_000, 3_000_001];

const inJson = (files: readonly Buffer[]) => ({
  ...MINIMAL,
  AttachedFiles: files.map((data, index) => ({ Name: `${index}.bin`, Data: data.toString("base64") })),
});

const post = async (body: URLSearchParams | FormData): Promise<void> => {
  const response = await fetch(`${server.origin}/webapi/v0/Send`, { method: "POST", body, headers: { authorization: LOGIN } });
  assert.equal(response.status, 200, await response.text());
};

const assertSent = async (files: readonly Buffer[]): Promise<void> => {
  const content = server.submissions.at(-1)?.content ?? [];
  assert.ok(content.every(({ byteLength }) => byteLength <= 1_048_576));
  const { text, attachments } = await simpleParser(Buffer.concat(content));
  assert.equal(text, "hi\n");
  assert.deepEqual(
    attachments.map(({ content: data }) => data.length),
    files.map(({ length }) => length),
  );
  for (const [index, { content: data }] of attachments.entries()) assert.ok(files[index]?.equals(data), `file ${index} is another`);
};

describe("large files", () => {
  const files = LENGTHS.map(octets);

  it("of a URL-encoded form's JSON come through whole", async () => {
    await post(new URLSearchParams({ request: JSON.stringify(inJson(files)) }));
    await assertSent(files);
  });

  it("of a multipart form's JSON come through whole", async () => {
    const form = new FormData();
    form.set("request", JSON.stringify(inJson(files)));
    await post(form);
    await assertSent(files);
  });

  it("of a multipart form come through whole, after those of its JSON", async () => {
    const form = new FormData();
    form.set("request", JSON.stringify(inJson(files.slice(4))));
    for (const data of files) form.append("attachedfile", new Blob([new Uint8Array(data)]), "form.bin");
    await post(form);
    await assertSent([...files.slice(4), ...files]);
  });

  it("of requests at the same time do not get into each other", async () => {
    const each = [octets(2_000_000), octets(2_000_000).reverse(), octets(1_999_999)];
    const from = server.submissions.length;
    await Promise.all(each.map((data) => post(new URLSearchParams({ request: JSON.stringify(inJson([data])) }))));
    const sent = await Promise.all(server.submissions.slice(from).map(({ content }) => simpleParser(Buffer.concat(content))));
    for (const data of each) assert.equal(sent.filter(({ attachments: [first] }) => first?.content.equals(data)).length, 1);
  });
});
