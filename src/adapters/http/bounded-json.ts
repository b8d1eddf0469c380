/** Parses JSON from strangers: looks at the structure first, so that no document can cost more than its length suggests. */

/** `fault` is a sentence for the client. */
export type JsonResult = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: string };

const MAX_DEPTH = 32;
/** Values in one document; each can take a hundred times the memory of the comma that stands for it. */
const MAX_VALUES = 200_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/** Index of the quote that ends the string which starts after `from`; -1 without one. */
const stringEnd = (text: string, from: number): number => {
  for (let quote = text.indexOf('"', from); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslash = quote - 1;
    while (backslash >= from && text.charCodeAt(backslash) === BACKSLASH) backslash -= 1;
    if ((quote - backslash) % 2 === 1) return quote;
  }
  return -1;
};

const structureFault = (text: string): string | undefined => {
  let depth = 0;
  let values = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = stringEnd(text, i + 1);
      if (i === -1) return "JSON ends within a string";
    } else if (code === COMMA) {
      values += 1;
    } else if ((code | 0x20) === 0x7b) {
      values += 1;
      depth += 1;
      if (depth > MAX_DEPTH) return `JSON is nested deeper than ${MAX_DEPTH} levels`;
    } else if ((code | 0x20) === 0x7d) {
      depth -= 1;
    }
    if (values > MAX_VALUES) return `JSON has more than ${MAX_VALUES} values`;
  }
  return undefined;
};

/** Parses one JSON document (RFC 8259). Never throws. */
export const parseJson = (text: string): JsonResult => {
  const fault = structureFault(text);
  if (fault !== undefined) return { ok: false, fault };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, fault: error instanceof Error ? error.message : "JSON does not parse" };
  }
};
