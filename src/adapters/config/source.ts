/** Reads configuration text into plain values, remembering on which line each key stands. */
import { findNodeAtLocation, getNodeValue, type Node as JsonNode, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { isMap, isNode, isPair, isScalar, LineCounter, type Node as YamlNode, parseAllDocuments } from "yaml";

import type { KeyPath } from "./errors.ts";

/** What a file says. */
export type Source = {
  readonly value: unknown;
  /** Line of a key, or of the nearest thing around it that is there; null when there is none. */
  readonly lineOf: (path: KeyPath) => number | null;
};

export type SyntaxProblem = { readonly line: number | null; readonly reason: string };

export type Parsed = { readonly source: Source } | { readonly problems: readonly SyntaxProblem[] };

const MAX_PROBLEMS = 20;

type Lookup = (path: KeyPath) => number | null;

/** Asks for the path itself, then for less and less of it. */
const nearest =
  (lookup: Lookup): Lookup =>
  (path) => {
    for (let length = path.length; length > 0; length -= 1) {
      const found = lookup(path.slice(0, length));
      if (found !== null) return found;
    }
    return null;
  };

const yamlChild = (node: unknown, step: string | number): { readonly at: YamlNode | undefined; readonly child: unknown } | undefined => {
  if (isMap(node)) {
    const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step));
    if (pair === undefined) return undefined;
    return { at: isNode(pair.key) ? pair.key : undefined, child: pair.value };
  }
  const items = (node as { readonly items?: unknown } | null)?.items;
  if (!Array.isArray(items) || typeof step !== "number") return undefined;
  const item: unknown = items[step];
  return isNode(item) ? { at: item, child: item } : undefined;
};

/** YAML 1.2, one document. */
export const parseYaml = (text: string): Parsed => {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, strict: true });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  if (!Array.isArray(documents)) return { source: { value: {}, lineOf: () => null } };
  const [document, second] = documents;
  if (document === undefined) return { source: { value: {}, lineOf: () => null } };
  const problems = documents
    .flatMap(({ errors }) => errors)
    .map(({ pos: [offset], message }) => ({ line: lineAt(offset), reason: message }));
  if (second !== undefined) problems.push({ line: lineAt(second.range[0]), reason: "a second YAML document: there must be one" });
  if (problems.length > 0) return { problems: problems.slice(0, MAX_PROBLEMS) };
  const lookup: Lookup = (path) => {
    let node: unknown = document.contents;
    let at: YamlNode | undefined;
    for (const step of path) {
      const found = yamlChild(node, step);
      if (found === undefined) return null;
      ({ at, child: node } = found);
    }
    const offset = at?.range?.[0];
    return offset === undefined ? null : lineAt(offset);
  };
  try {
    // The default bound on aliases keeps a small file from unfolding into a huge one.
    const value: unknown = document.toJS();
    return { source: { value: value ?? {}, lineOf: nearest(lookup) } };
  } catch (error) {
    return { problems: [{ line: null, reason: error instanceof Error ? error.message : "cannot be read" }] };
  }
};

const duplicateKeys = (node: JsonNode, lineAt: (offset: number) => number): SyntaxProblem[] => {
  const problems: SyntaxProblem[] = [];
  const open: JsonNode[] = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const seen = new Set<unknown>();
    for (const child of next.children ?? []) {
      open.push(child);
      if (child.type !== "property") continue;
      const key = child.children?.[0];
      if (key === undefined) continue;
      if (seen.has(key.value))
        problems.push({ line: lineAt(key.offset), reason: `the key ${JSON.stringify(key.value)} stands here a second time` });
      seen.add(key.value);
    }
  }
  return problems;
};

const MAX_JSON_DEPTH = 100;

const isTooDeep = (text: string): boolean => {
  let depth = 0;
  for (const character of text) {
    if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    if (depth > MAX_JSON_DEPTH) return true;
  }
  return false;
};

const WORDS = /([a-z])([A-Z])/gu;

/** JSON with comments and trailing commas. */
export const parseJson = (text: string): Parsed => {
  if (isTooDeep(text)) return { problems: [{ line: null, reason: `is nested more than ${MAX_JSON_DEPTH} levels deep` }] };
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  const lineAt = (offset: number): number => starts.findLastIndex((start) => start <= offset) + 1;
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  const problems = errors.map(({ error, offset }) => ({
    line: lineAt(offset),
    reason: printParseErrorCode(error).replace(WORDS, "$1 $2").toLowerCase(),
  }));
  if (root !== undefined) problems.push(...duplicateKeys(root, lineAt).map(({ line, reason }) => ({ line: line ?? 1, reason })));
  if (problems.length > 0) return { problems: problems.slice(0, MAX_PROBLEMS) };
  if (root === undefined) return { source: { value: {}, lineOf: () => null } };
  const lookup: Lookup = (path) => {
    const found = findNodeAtLocation(root, [...path]);
    const at = found?.parent?.type === "property" ? found.parent : found;
    return at === undefined ? null : lineAt(at.offset);
  };
  return { source: { value: getNodeValue(root), lineOf: nearest(lookup) } };
};
