/** Send with multipart forms, as clients of all kinds write them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { simpleParser, type ParsedMail } from "mailparser";
import { LOGIN, startWebapi, type TestServer } from "../support/webapi-server.ts";

let server: TestServer;
before(async () => {
  server = await startWebapi();
});
after(() => server.close(0));

const MINIMAL = { To: [{ Name: "", Address: "bob@example.net" }], Text: "hi" };

const post = (body: string | FormData): Promise<Response> => {
  const type = typeof body === "string" ? { "content-type": "multipart/form-data; boundary=b" } : {};
  return fetch(`${server.origin}/webapi/v0/Send`, { method: "POST", body, headers: { authorization: LOGIN, ...type } });
};

const sent = async (body: string | FormData): Promise<ParsedMail> => {
  const response = await post(body);
  assert.equal(response.status, 200, await response.text());
  return simpleParser(Buffer.concat(server.submissions.at(-1)?.content ?? []), { keepCidLinks: true });
};

/** Code of the error that a form gets; nothing may have been queued. */
const codeOf = async (body: string): Promise<string | undefined> => {
  const queued = server.submissions.length;
  const { Code } = (await (await post(body)).json()) as { readonly Code?: string };
  assert.equal(server.submissions.length, queued);
  return Code;
};

const part = (headers: string, body: string): string => `--b\r\nContent-Disposition: form-data; ${headers}\r\n\r\n${body}\r\n`;
const requestPart = (request: object): string => part('name="request"', JSON.stringify(request));

describe("a message sent with a multipart form", () => {
  it("has files from JSON first, then those of the form, with the headers of their parts", async () => {
    const form = new FormData();
    form.set("request", JSON.stringify({ ...MINIMAL, AttachedFiles: [{ Name: "json.bin", Data: "AAEC" }] }));
    form.append("attachedfile", new Blob(["%PDF-1.7"], { type: "" }), "größe.pdf");
    form.append("inlinefile", new Blob(["png"], { type: "image/png" }), "i.png");
    form.append("alternativefile", new Blob(["BEGIN:VCALENDAR"], { type: "text/calendar; method=REQUEST" }), "x.ics");
    form.append("unknownfile", new Blob(["x"]), "not-taken");
    assert.deepEqual(
      (await sent(form)).attachments.map(({ filename, contentType }) => [filename, contentType]),
      [
        ["x.ics", "text/calendar"],
        ["i.png", "image/png"],
        ["json.bin", "application/octet-stream"],
        ["größe.pdf", "application/pdf"],
      ],
    );
  });

  it("takes Content-ID and the missing Content-Type of a form file into account", async () => {
    const file = part('name="inlinefile"; filename="hi.gif"\r\nContent-ID: <hi>', "GIF89a");
    const { attachments } = await sent(`${requestPart({ ...MINIMAL, HTML: "<img src=cid:hi>" })}${file}--b--\r\n`);
    assert.deepEqual(
      attachments.map(({ cid, contentType }) => [cid, contentType]),
      [["hi", "image/gif"]],
    );
  });

  it("may begin with a line end, fold its headers and be quoted-printable", async () => {
    const header = '\r\n name="request"\r\nContent-Transfer-Encoding: quoted-printable';
    const request = part(header, JSON.stringify(MINIMAL).replace("hi", "h=C3=A4"));
    assert.equal((await sent(`\r\n${request}--b--\r\n`)).text, "hä\n");
  });

  it("keeps the last part of its files' paths", async () => {
    const file = part('name="attachedfile"; filename="C:\\dir\\f.txt"', "x");
    assert.equal((await sent(`${requestPart(MINIMAL)}${file}--b--`)).attachments[0]?.filename, "f.txt");
  });

  it("is refused for an escaped control character in a file's name, and for a bare one", async () => {
    const named = (name: string): string => `${requestPart(MINIMAL)}${part(`name="attachedfile"; filename="${name}"`, "x")}--b--`;
    assert.equal(await codeOf(named("a%0D%0AX: y")), "user");
    for (const name of ["a\rb", "a\nb"]) assert.equal(await codeOf(named(name)), "protocol");
  });
});
