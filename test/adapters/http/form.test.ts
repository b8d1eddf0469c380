import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseForm, type Form, type FormResult } from "../../../src/adapters/http/form.ts";

const URLENCODED = "application/x-www-form-urlencoded";
const MULTIPART = "multipart/form-data; boundary=b";

const WANTED = ["a", "ä", "empty", "bare", "request"];

const parse = (type: string | undefined, body: string | Buffer): FormResult => parseForm(type, Buffer.from(body), WANTED);

const form = (type: string, body: string | Buffer): Form => {
  const result = parse(type, body);
  assert(result.ok, JSON.stringify(result));
  return result.form;
};

const isRefused = (type: string | undefined, body: string | Buffer): boolean => !parse(type, body).ok;

const faultOf = (body: string | Buffer): string => {
  const result = parse(MULTIPART, body);
  assert(!result.ok, "is not refused");
  return result.fault;
};

const FIELD = 'Content-Disposition: form-data; name="a"';

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
    for (const body of ["a=%", "a=%4", "a=%zz", "%=a", "b=%zz", "a=%ff", "a=%ed%a0%80", Buffer.from([0x61, 0x3d, 0xff])])
      assert.ok(isRefused(URLENCODED, body));
  });

  it("may hold anything in fields that nobody asks for", () => {
    assert.deepEqual([...form(URLENCODED, "b=%ff&%ff=1&a=1&c=2").fields], [["a", "1"]]);
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
    for (const body of ["", "not a form", good, `${good}--b`, `${good}--b-`, "--b\r\n", open, `${open}X: y`, "--b"])
      assert.ok(isRefused(MULTIPART, body), body);
    assert.ok(isRefused(MULTIPART, `--b\r\n${"X".repeat(20_000)}: y\r\n\r\n\r\n--b--`));
    assert.ok(isRefused(MULTIPART, `${good.repeat(1_001)}--b--`));
    for (const type of ["multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary="\n"'])
      assert.ok(isRefused(type, `${good}--b--`));
  });

  it("may have anything before its first delimiter, and after its last", () => {
    const body = `${part(FIELD, "1")}--b--`;
    for (const preamble of ["\r\n", "\n", "\r\n\r\n", "This is a form.\r\n", "--bx\r\n --b\r\nx--b\r\n", "--b x\r\n"])
      assert.equal(form(MULTIPART, preamble + body).fields.get("a"), "1", JSON.stringify(preamble));
    for (const epilogue of ["", "\r\n", "  \r\n", "\n", "\r\nThis was a form."])
      assert.equal(form(MULTIPART, body + epilogue).fields.get("a"), "1", JSON.stringify(epilogue));
    assert.deepEqual([...form(MULTIPART, "--b--\r\n").fields], []);
  });

  it("may have blanks after its delimiters, and in its content what is like them", () => {
    for (const data of ["", "\r\n", "\r\n--bb\r\n", "\r\n--b-\r\n", "--b\t x\r\n", "\n--b\n", "\n--b--", "\r\n--", "x\r"])
      assert.equal(form(MULTIPART, `--b \t\r\n${FIELD}\r\n\r\n${data}\r\n--b--`).fields.get("a"), data, JSON.stringify(data));
  });

  it("may have parts without content, with one line end for two, and without a header", () => {
    const body = `--b\r\n${FIELD}\r\n\r\n--b\r\n\r\nno header\r\n--b\r\n\r\n--b\r\nContent-Disposition: form-data; name=request\r\n\r\n{}\r\n--b--`;
    assert.deepEqual(
      [...form(MULTIPART, body).fields],
      [
        ["a", ""],
        ["request", "{}"],
      ],
    );
  });

  it("may fold the fields of its parts", () => {
    const header = 'Content-Disposition: form-data;\r\n name="f";\r\n\tfilename="a.txt"\r\nContent-Type:\r\n text/x';
    const [file] = form(MULTIPART, `${part(header, "x")}--b--`).files;
    assert.deepEqual([file?.field, file?.name, file?.contentType], ["f", "a.txt", "text/x"]);
  });

  it("may have parts that are no fields: they are passed over", () => {
    const others = [
      "X: y",
      "Content-Disposition: form-data",
      'Content-Disposition: attachment; name="a"',
      'Content-Disposition: form-data; name=""',
    ];
    const { fields, files } = form(MULTIPART, `${others.map((other) => part(other, "no")).join("")}${part(FIELD, "yes")}--b--`);
    assert.deepEqual([[...fields], files], [[["a", "yes"]], []]);
  });

  it("may end all of its lines in LF, and then keeps every CR of its content", () => {
    const body = `${part(FIELD, "1")}${part('Content-Disposition: form-data; name="f"; filename="x"', "")}--b--\r\n`.replaceAll("\r", "");
    const { fields, files } = form(MULTIPART, body.replace("\n\n\n--b--", "\n\n\0\r\r\n\r\n--b--"));
    assert.equal(fields.get("a"), "1");
    assert.equal(Buffer.from(files[0]?.data ?? []).toString(), "\0\r\r\n\r");
  });

  it("is decoded where it is quoted-printable, however long", () => {
    const encoded = `${FIELD}\r\nContent-Transfer-Encoding: Quoted-Printable`;
    assert.equal(form(MULTIPART, `${part(encoded, "=7B=\r\n =C3=A4 \t\r\n=7d=")}--b--`).fields.get("a"), "{ ä\r\n}");
    const header = 'Content-Disposition: form-data; name="f"; filename="x"\r\nContent-Transfer-Encoding: quoted-printable';
    const body = Buffer.from(`${part(header, "=00=FF=\r\n".repeat(50_000) + "=".repeat(200_000))}${part(header, "=3D")}--b--`);
    const [first, second] = form(MULTIPART, body).files;
    assert.ok(
      Buffer.from(first?.data ?? [])
        .subarray(0, 100_000)
        .equals(Buffer.alloc(100_000, Buffer.of(0, 255))),
    );
    assert.equal(Buffer.from(second?.data ?? []).toString(), "=");
  });

  it("may hold anything in fields that nobody asks for, but only UTF-8 in those that count", () => {
    const other = Buffer.from(part('Content-Disposition: form-data; name="other"', "\xff"), "latin1");
    assert.equal(form(MULTIPART, Buffer.concat([other, Buffer.from(`${part(FIELD, "1")}--b--`)])).fields.get("a"), "1");
    assert.match(faultOf(Buffer.from(`${part(FIELD, "\xff")}--b--`, "latin1")), /^field a of the form is not UTF-8$/);
  });

  it("takes memory for nothing but its fields", () => {
    const body = Buffer.from(`${part('Content-Disposition: form-data; name="f"; filename="x"', "x".repeat(100_000))}--b--`);
    const result = parseForm(MULTIPART, body, []);
    assert.ok(result.ok && result.form.files[0]?.data.buffer === body.buffer);
  });

  it("costs little, whatever it is full of", () => {
    const boundary = "a".repeat(200);
    const type = `multipart/form-data; boundary=${boundary}`;
    const startedAt = performance.now();
    for (const stuff of ["\r\n--", `\r\n--${boundary}`, `\r\n--${boundary} `, `--${"a".repeat(199)}b`, "a", "\r", "\n", " ", "\r\n"]) {
      const filling = stuff.repeat(10_000_000 / stuff.length);
      assert.ok(!parseForm(type, Buffer.from(filling), []).ok);
      const inside = `--${boundary}\r\nX: y\r\n\r\n${filling}`;
      assert.ok(!parseForm(type, Buffer.from(inside), []).ok);
    }
    assert.ok(!parse(MULTIPART, part(FIELD, "").repeat(50_000)).ok);
    assert.ok(performance.now() - startedAt < 10_000);
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
        parse(MULTIPART, pieces.join(""));
      }),
    );
  });
});

describe("a file name in a multipart form", () => {
  const nameOf = (parameters: string): string | undefined =>
    form(MULTIPART, `${part(`Content-Disposition: form-data; name="f"; ${parameters}`, "x")}--b--`).files[0]?.name;

  it("is the last part of a path, of any system", () => {
    for (const [parameter, name] of [
      ['filename="../../x\\y.txt"', "y.txt"],
      ['filename="C:\\dir\\f.txt"', "f.txt"],
      ["filename=C:\\dir\\f.txt", "f.txt"],
      ['filename="/etc/passwd"', "passwd"],
      ['filename="dir/"', "dir"],
      ['filename="/"', ""],
      ["filename*=utf-8''..%2F..%2F%E2%82%AC.txt", "€.txt"],
    ] as const)
      assert.equal(nameOf(parameter), name, parameter);
  });

  it("has quotes as clients escape them, and no other escapes", () => {
    for (const [parameter, name] of [
      ['filename="a\\"b.txt"', 'a"b.txt'],
      ['filename="a%22b.txt"', 'a"b.txt'],
      ['filename="100%25 %41.txt"', "100%25 %41.txt"],
      ["filename*=utf-8''%2522.txt", "%22.txt"],
      ["filename=\"plain.txt\"; filename*=utf-8''%E2%82%AC.txt", "€.txt"],
      ["filename=Invoice(1).pdf", "Invoice(1).pdf"],
    ] as const)
      assert.equal(nameOf(parameter), name, parameter);
  });

  it("that is not UTF-8 is no reason to refuse the file", () => {
    const body = Buffer.from(`${part('Content-Disposition: form-data; name="f"; filename="gr\xfcn.txt"', "x")}--b--`, "latin1");
    assert.equal(form(MULTIPART, body).files[0]?.name, "gr\ufffdn.txt");
  });

  it("with a control character is refused, or left to whom it may concern when it is escaped", () => {
    const withName = (name: string): string => part(`Content-Disposition: form-data; name="f"; filename="${name}"`, "x");
    for (const name of ["a\rb", "a\0b", "a\x1bb"]) assert.match(faultOf(`${withName(name)}--b--`), /control characters/);
    assert.match(faultOf(`${withName("a\nb")}--b--`), /line feed/);
    assert.match(faultOf(`${part(`${FIELD}\r\nContent-Type: text/plain\nX: y`, "")}--b--`), /line feed/);
    assert.match(faultOf(`${part("no field", "")}--b--`), /no field/);
    assert.equal(nameOf('filename="a%0D%0Ab"'), "a\r\nb");
    assert.equal(nameOf("filename*=utf-8''a%0Ab"), "a\nb");
  });
});

describe("another content type", () => {
  it("is refused", () => {
    for (const type of [undefined, "", "application/json", "text/plain", "multipart/mixed; boundary=b", "nonsense", "a/b/c"])
      assert.ok(isRefused(type, "request={}"));
  });
});
