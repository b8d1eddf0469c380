import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { parseJson } from "../../../src/adapters/http/bounded-json.ts";
import { wireReader } from "../../../src/adapters/http/wire-reader.ts";
import { decodeBase64, parseTime, wireTime } from "../../../src/adapters/http/wire-types.ts";

const read = wireReader(
  z.strictObject({
    Name: z.string(),
    Count: z.int(),
    Yes: z.boolean().nullable(),
    At: wireTime.nullable(),
    List: z.array(z.strictObject({ Address: z.string() })),
    Pairs: z.array(z.tuple([z.string(), z.string()])),
    Extra: z.record(z.string(), z.string()),
  }),
);

const ZERO = { Name: "", Count: 0, Yes: null, At: null, List: [], Pairs: [], Extra: {} };
const value = (json: unknown): unknown => {
  const result = read(json);
  assert(result.ok, JSON.stringify(result));
  return result.value;
};
const fault = (json: unknown): string => {
  const result = read(json);
  assert(!result.ok);
  return result.fault;
};

describe("a request", () => {
  it("has zero values for what is missing, and for null", () => {
    assert.deepEqual(value({}), ZERO);
    assert.deepEqual(value({ Name: null, Count: null, Yes: null, At: null, List: null, Pairs: null, Extra: null }), ZERO);
    assert.deepEqual(value({ List: [null, { Address: null }], Pairs: [null], Extra: { a: null } }), {
      ...ZERO,
      ...{ List: [{ Address: "" }, { Address: "" }], Pairs: [["", ""]], Extra: { a: "" } },
    });
  });

  it("matches field names without regard to case, the last one winning", () => {
    assert.deepEqual(value({ name: "a", NAME: "b", lIST: [{ address: "x" }] }), { ...ZERO, Name: "b", List: [{ Address: "x" }] });
  });

  it("keeps the case of keys that are the client's own", () => {
    assert.deepEqual(value({ Extra: { Key: "1", key: "2" } }), { ...ZERO, Extra: { Key: "1", key: "2" } });
  });

  it("is refused with an unknown field, and says where", () => {
    assert.equal(fault({ Nam: "x" }), 'unknown field "Nam"');
    assert.equal(fault({ List: [{ Adress: "x" }] }), 'unknown field "List[0].Adress"');
  });

  it("is refused with a wrong type, and says where", () => {
    assert.match(fault({ Name: 1 }), /^Name: /);
    assert.match(fault({ Count: 1.5 }), /^Count: /);
    assert.match(fault({ Count: "1" }), /^Count: /);
    assert.match(fault({ Count: 2 ** 60 }), /^Count: /);
    assert.match(fault({ Yes: "true" }), /^Yes: /);
    assert.match(fault({ At: "yesterday" }), /^At: /);
    assert.match(fault({ List: {} }), /^List: /);
    assert.match(fault({ List: [[]] }), /^List\[0\]: /);
    assert.match(fault({ Pairs: [["a", "b"], "a"] }), /^Pairs\[1\]: /);
    assert.match(fault({ Extra: { a: 1 } }), /^Extra\.a: /);
    for (const json of [[], null, "x", 1, true]) assert.equal(fault(json), "request is not a JSON object");
  });

  it("is refused with a row that has other than two elements, where Go would make up or drop some, and says which", () => {
    assert.equal(fault({ Pairs: [["a"]] }), "Pairs[0]: expected 2 elements, received 1");
    assert.equal(fault({ Pairs: [["a", "b"], []] }), "Pairs[1]: expected 2 elements, received 0");
    assert.equal(fault({ Pairs: [null, ["a", "b"], ["a", "b", "c"]] }), "Pairs[2]: expected 2 elements, received 3");
    assert.deepEqual(value({ Pairs: [[null, "b"]] }), { ...ZERO, Pairs: [["", "b"]] });
  });

  it("cannot reach the prototype", () => {
    const hostile: unknown = JSON.parse('{"__proto__": {"Name": "x"}}');
    assert.equal(fault(hostile), 'unknown field "__proto__"');
    assert.equal(fault(JSON.parse('{"Extra": {"__proto__": "x"}}')), 'Extra cannot have the key "__proto__"');
    assert.equal(fault({ constructor: "x" }), 'unknown field "constructor"');
    assert.equal(fault({ toString: "x" }), 'unknown field "toString"');
  });

  it("has no lone surrogates after reading", () => {
    assert.deepEqual(value({ Name: "a\ud800b", Extra: { "\udc00": "\ud800" } }), {
      ...ZERO,
      Name: "a\ufffdb",
      Extra: { "\ufffd": "\ufffd" },
    });
  });
});

describe("JSON", () => {
  it("is parsed up to 32 levels", () => {
    assert.ok(parseJson("[".repeat(32) + "]".repeat(32)).ok);
    const deep = parseJson("[".repeat(33) + "]".repeat(33));
    assert.ok(!deep.ok && deep.fault.includes("deeper"));
  });

  it("is refused at once when it is millions of levels deep or values wide", () => {
    const before = process.memoryUsage().heapUsed;
    for (const text of [
      "[".repeat(5_000_000),
      '{"a":'.repeat(1_000_000),
      `[${"{},".repeat(1_000_000)}{}]`,
      `[${"1,".repeat(2_000_000)}1]`,
    ]) {
      assert.ok(!parseJson(text).ok);
    }
    assert.ok(process.memoryUsage().heapUsed - before < 50_000_000);
  });

  it("does not count what is inside strings", () => {
    const text = JSON.stringify({ a: '[[["\\[{{,'.repeat(100_000) });
    assert.deepEqual(parseJson(text), { ok: true, value: JSON.parse(text) as unknown });
    assert.ok(parseJson('{"a\\\\":"[", "b": "\\""}').ok);
  });

  it("that does not parse is refused", () => {
    for (const text of ["", "{", '{"a": 1} x', "{'a': 1}", '{"a": "\n"}', '"abc', '"\\', "]", "NaN", "\ufeff{}"])
      assert.ok(!parseJson(text).ok, text);
  });
});

describe("a date-time", () => {
  it("is read with its offset", () => {
    assert.deepEqual(parseTime("2026-06-01T12:00:00Z"), { at: Date.UTC(2026, 5, 1, 12), offsetMinutes: 0 });
    assert.deepEqual(parseTime("2026-06-01T12:00:00.123456789+02:30"), { at: Date.UTC(2026, 5, 1, 9, 30, 0, 123), offsetMinutes: 150 });
    assert.deepEqual(parseTime("0001-01-01T00:00:00Z"), { at: -62_135_596_800_000, offsetMinutes: 0 });
  });

  it("is none when it does not exist or is written otherwise", () => {
    const none = [
      "",
      "2026-06-01",
      "2026-06-01 12:00:00Z",
      "2026-06-01t12:00:00z",
      "2026-02-29T00:00:00Z",
      "2026-06-01T24:00:00Z",
      "2026-06-01T12:00Z",
    ];
    for (const text of [...none, "2026-13-01T00:00:00Z", "2026-06-01T12:00:00", "2026-06-01T12:00:60Z", "2026-06-01T12:00:00+24:00"]) {
      assert.equal(parseTime(text), undefined, text);
    }
  });
});

describe("base64", () => {
  it("is decoded when it is standard and padded, line ends aside", () => {
    assert.equal(decodeBase64("aGVs\r\nbG8=\n")?.toString(), "hello");
    assert.equal(decodeBase64("")?.length, 0);
  });

  it("is refused otherwise", () => {
    for (const text of ["a", "aGVsbG8", "aGVsbG8=x", "a-_b", "aGVs bG8=", "=aaa", "a=aa", "aG!sbG8=", "aGVsbG8==", "====", "ä==="]) {
      assert.equal(decodeBase64(text), undefined, text);
    }
  });
});
