import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseForm } from "../../../src/adapters/http/form.ts";
import type { Form } from "../../../src/adapters/http/form.ts";

const URLENCODED = "application/x-www-form-urlencoded";
const MULTIPART = "multipart/form-data; boundary=b";

const form = (type: string, body: string | Buffer): Form => {
  const result = parseForm(type, Buffer.from(body));
  assert(result.ok, JSON.stringify(result));
  return result.form;
};

const isRefused = (type: string | undefined, body: string | Buffer): boolean => !parseForm(type, Buffer.from(body)).ok;

const part = (headers: string, body: string): string => `--b\r\n${headers}\r\n\r\n${body}\r\n`;

describe("a URL-encoded form", () => {
  it("is decoded, raw UTF-8 and escapes alike", () => {
    assert.deepEqual(
      [...form(URLENCODED, "a=1+2%2B3&%C3%A4=☺%e2%98%ba&empty=&bare").fields],
      [
        ["a", "1 2+3"],
        ["ä", "☺☺"],
        ["empty", ""],
        ["bare", ""],
      ],
    );
    assert.deepEqual([...form(`${URLENCODED} ; charset=utf-8`, "a=b=c").fields], [["a", "b=c"]]);
  });

  it("counts the first value of a name", () => {
    assert.equal(form(URLENCODED, "a=1&a=2").fields.get("a"), "1");
  });

  it("is refused with malformed escapes, or what is not UTF-8", () => {
    for (const body of ["a=%", "a=%4", "a=%zz", "%=a", "a=%ff", "a=%ed%a0%80", Buffer.from([0x61, 0x3d, 0xff])])
      assert.ok(isRefused(URLENCODED, body));
  });

  it("is refused with too many fields, quickly", () => {
    assert.ok(isRefused(URLENCODED, "a&".repeat(1_000_000)));
  });

  it("gives back what URLSearchParams wrote", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.equal(form(URLENCODED, new URLSearchParams({ request: text }).toString()).fields.get("request"), text.toWellFormed());
      }),
    );
  });
});

describe("a multipart form", () => {
  it("has fields, and files with their headers", () => {
    const body =
      part('Content-Disposition: form-data; name="request"', "{}") +
      part(
        'content-disposition: form-data; name="attachedfile"; filename="dir/ä.txt"\r\nContent-Type: text/x; y=z\r\nContent-ID: <id>',
        "data\r\n--",
      ) +
      part('Content-Disposition: form-data; name="attachedfile"; filename=""', "");
    const { fields, files } = form(MULTIPART, `${body}--b--\r\n`);
    assert.equal(fields.get("request"), "{}");
    assert.deepEqual(
      files.map((file) => ({ ...file, data: Buffer.from(file.data).toString() })),
      [{ field: "attachedfile", name: "ä.txt", contentType: "text/x; y=z", contentId: "<id>", data: "data\r\n--" }],
    );
  });

  it("knows names in RFC 8187 form, as some clients send them", () => {
    const body = part("Content-Disposition: form-data; name=\"f\"; filename*=utf-8''%E2%82%AC.txt", "x");
    assert.equal(form(MULTIPART, `${body}--b--`).files[0]?.name, "€.txt");
  });

  it("is refused when it is broken", () => {
    const good = part('Content-Disposition: form-data; name="a"', "x");
    const open = '--b\r\nContent-Disposition: form-data; name="a"\r\n';
    for (const body of ["not a form", good, `${good}--b`, part("X: y", "no name"), open]) assert.ok(isRefused(MULTIPART, body), body);
    assert.ok(isRefused(MULTIPART, `--b\r\n${"X".repeat(20_000)}: y\r\n\r\n\r\n--b--`));
    assert.ok(isRefused(MULTIPART, `${good.repeat(1_001)}--b--`));
    assert.ok(
      isRefused(
        MULTIPART,
        Buffer.concat([
          Buffer.from('--b\r\nContent-Disposition: form-data; name="a"\r\nX: '),
          Buffer.of(0xff),
          Buffer.from("\r\n\r\nx\r\n--b--"),
        ]),
      ),
    );
    for (const type of ["multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary="\n"'])
      assert.ok(isRefused(type, `${good}--b--`));
  });

  it("never throws, whatever comes", () => {
    const piece = fc.constantFrom(
      "--b",
      "\r\n",
      "--",
      "Content-Disposition: form-data; ",
      'name="a"',
      "; filename=",
      "x",
      '"',
      "\0",
      ";",
      "\\",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        parseForm(MULTIPART, Buffer.from(pieces.join("")));
      }),
    );
  });
});

describe("another content type", () => {
  it("is refused", () => {
    for (const type of [undefined, "", "application/json", "text/plain", "multipart/mixed; boundary=b", "nonsense", "a/b/c"])
      assert.ok(isRefused(type, "request={}"));
  });
});
