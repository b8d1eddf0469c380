import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readMail } from "../../../../src/adapters/mime/reader/read-mail.ts";
import { readPart } from "../../../../src/adapters/mime/reader/read-part.ts";
import { inPieces, lines, multipart, part } from "./letters.ts";

const inner = multipart(
  "alternative",
  "aaa",
  part(["Content-Type: text/plain; charset=iso-8859-1", "Content-Transfer-Encoding: quoted-printable"], "caf=E9\r\n"),
  part(["Content-Type: text/html"], "<p>\nhi</p>"),
);
const octets = Buffer.concat([
  lines("Subject: x"),
  multipart(
    "mixed",
    "mmm",
    inner,
    part(["Content-Type: application/pdf", "Content-Transfer-Encoding: base64"], "aGVsbG8="),
    part(["Content-Type: message/rfc822"], "Subject: inner\r\n\r\nbody"),
  ),
  lines("epilogue"),
]);

const textAt = async (...path: readonly number[]): Promise<string | undefined> => {
  const found = await readPart([octets], path);
  return found === undefined ? undefined : Buffer.from(found).toString("latin1");
};

const bodyOf = (message: Buffer): string => message.subarray(message.indexOf("\r\n\r\n") + 4).toString("latin1");

describe("one part of a message", () => {
  it("is decoded but for its charset", async () => {
    assert.equal(await textAt(0, 0), "caf\xe9\r\n");
    assert.equal(await textAt(0, 1), "<p>\r\nhi</p>");
    assert.equal(await textAt(1), "hello");
    assert.equal(await textAt(2), "Subject: inner\r\n\r\nbody");
  });

  it("comes as it stands when it is a multipart", async () => {
    assert.equal(await textAt(), bodyOf(octets));
    assert.equal(await textAt(0), bodyOf(inner));
  });

  it("is the message when that has no parts", async () => {
    const simple = Buffer.concat([lines("Content-Transfer-Encoding: base64", ""), Buffer.from("aGVsbG8=")]);
    assert.deepEqual(await readPart([simple], []), Buffer.from("hello"));
    assert.equal(await readPart([simple], [0]), undefined);
  });

  it("is not there beyond what there is", async () => {
    for (const path of [[3], [0, 2], [1, 0], [2, 0], [-1], [0.5]]) assert.equal(await textAt(...path), undefined, path.join("."));
  });

  it("has as many octets as the structure says, in pieces of any size", async () => {
    const { structure } = await readMail([octets]);
    for (const size of [1, 5, 50]) {
      for (const path of [[0, 0], [0, 1], [1], [2]]) {
        const found = await readPart(inPieces(octets, size), path);
        const described = path.reduce((at, index) => at.parts[index] ?? at, structure);
        assert.equal(found?.byteLength, described.decodedSize, `${path.join(".")} in pieces of ${size}`);
      }
    }
  });

  it("is read no further than to its end", async () => {
    let asked = 0;
    const pieces = function* (): Generator<Uint8Array> {
      for (const piece of inPieces(octets, 100)) {
        asked += 1;
        yield piece;
      }
    };
    await readPart(pieces(), [0, 0]);
    assert.ok(asked * 100 < octets.length, `${asked} pieces`);
  });
});
