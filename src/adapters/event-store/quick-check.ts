/**
 * A check that says "yes" at once to what has the right shape, read off a zod schema. zod's own parse builds a copy of
 * every object on the way, which for events, each checked several times in its life, was a quarter of what births left to
 * the collector. Anything but a plain "yes" is left to zod: it has the last word, and words for what is wrong.
 */
import type { ZodType } from "zod";

/** True only for what the schema lets pass; false may mean that this check does not know. */
export type QuickCheck = (value: unknown) => boolean;

/** What a schema says about itself, of the kinds that events are made of. */
type Definition = {
  readonly type: string;
  readonly format?: string;
  readonly checks?: readonly unknown[];
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly shape?: Readonly<Record<string, ZodType>>;
  readonly catchall?: ZodType;
  readonly innerType?: ZodType;
  readonly element?: ZodType;
  readonly keyType?: ZodType;
  readonly valueType?: ZodType;
  readonly options?: readonly ZodType[];
};

/** How a schema describes itself. */
export const definitionOf = (schema: ZodType): Definition => schema.def;

const leaveToZod: QuickCheck = () => false;

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

const strictObject = (shape: Readonly<Record<string, ZodType>>): QuickCheck => {
  const fields = Object.entries(shape).map(([key, schema]) => ({
    key,
    mayMiss: definitionOf(schema).type === "optional",
    fits: quickCheck(schema),
  }));
  return (value) => {
    if (!isPlain(value)) return false;
    let present = 0;
    for (const { key, mayMiss, fits } of fields) {
      const field = value[key];
      if (field === undefined && mayMiss && !(key in value)) continue;
      if (!fits(field)) return false;
      present += 1;
    }
    // A plain object has no enumerable keys but its own.
    for (const _ in value) present -= 1;
    return present === 0;
  };
};

const textsByText: QuickCheck = (value) => {
  if (!isPlain(value)) return false;
  for (const key in value) if (typeof value[key] !== "string") return false;
  return true;
};

const isText = (schema: ZodType | undefined): boolean =>
  schema !== undefined && definitionOf(schema).type === "string" && quickCheck(schema)("");

const oneOf = (allowed: readonly unknown[]): QuickCheck => {
  const set = new Set(allowed);
  return (value) => set.has(value);
};

const number = ({ format }: Definition): QuickCheck => {
  if (format === undefined) return (value) => typeof value === "number" && Number.isFinite(value);
  return format === "safeint" ? (value) => Number.isSafeInteger(value) : leaveToZod;
};

const checks: Readonly<Record<string, (definition: Definition) => QuickCheck>> = {
  string: ({ format }) => (format === undefined ? (value) => typeof value === "string" : leaveToZod),
  boolean: () => (value) => typeof value === "boolean",
  number,
  literal: ({ values = [] }) => oneOf(values),
  enum: ({ entries = {} }) => oneOf(Object.values(entries)),
  nullable: ({ innerType }) => {
    const fits = innerType === undefined ? leaveToZod : quickCheck(innerType);
    return (value) => value === null || fits(value);
  },
  optional: ({ innerType }) => (innerType === undefined ? leaveToZod : quickCheck(innerType)),
  array: ({ element }) => {
    const fits = element === undefined ? leaveToZod : quickCheck(element);
    return (value) => {
      if (!Array.isArray(value)) return false;
      // Not by every(), which passes over holes.
      for (const item of value) if (!fits(item)) return false;
      return true;
    };
  },
  record: ({ keyType, valueType }) => (isText(keyType) && isText(valueType) ? textsByText : leaveToZod),
  union: ({ options = [] }) => {
    const all = options.map(quickCheck);
    return (value) => all.some((fits) => fits(value));
  },
  object: ({ shape = {}, catchall }) =>
    catchall !== undefined && definitionOf(catchall).type === "never" ? strictObject(shape) : leaveToZod,
};

/** Reads the check off a schema; where the schema says more than this knows, the check leaves it to zod. */
export const quickCheck = (schema: ZodType): QuickCheck => {
  const definition = definitionOf(schema);
  if (definition.checks !== undefined && definition.checks.length > 0) return leaveToZod;
  return checks[definition.type]?.(definition) ?? leaveToZod;
};
