/**
 * Reads requests as the clients of this API write them: JSON the way Go's encoding/json sees it. Field names match without
 * regard to case, what is missing or null is the zero value of its type, what is unknown is refused. The zod schema is the
 * one description; the rules are read off it once.
 */
import type { z } from "zod";

/** `fault` is a sentence for the client. */
export type ReadResult<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly fault: string };

export type WireReader<Value> = (json: unknown) => ReadResult<Value>;

/** Brings a value into the form that the schema describes; what it cannot make sense of it leaves for the schema. */
type Shape = { readonly zero: () => unknown; readonly canonical: (value: unknown, path: string) => unknown };

/** The internals of zod schemas that are needed here, by kind. */
type Definition = {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly items?: readonly z.ZodType[];
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
};

class ReadFault extends Error {}

const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const objectShape = (shape: Readonly<Record<string, z.ZodType>>): Shape => {
  const fields = Object.entries(shape).map(([name, schema]) => ({ name, lower: name.toLowerCase(), shape: shapeOf(schema) }));
  const byName = new Map(fields.flatMap((field) => [[field.name, field] as const, [field.lower, field] as const]));
  const zero = (): Record<string, unknown> => {
    const value: Record<string, unknown> = {};
    for (const field of fields) value[field.name] = field.shape.zero();
    return value;
  };
  const canonical = (value: unknown, path: string): unknown => {
    if (value === null) return zero();
    if (!isPlainObject(value)) return value;
    const read = zero();
    for (const key of Object.keys(value)) {
      const field = byName.get(key) ?? byName.get(key.toLowerCase());
      if (field === undefined) throw new ReadFault(`unknown field ${JSON.stringify(path === "" ? key : `${path}.${key}`)}`);
      read[field.name] = field.shape.canonical(value[key], path === "" ? field.name : `${path}.${field.name}`);
    }
    return read;
  };
  return { zero, canonical };
};

const arrayShape = (element: z.ZodType): Shape => {
  const shape = shapeOf(element);
  const canonical = (value: unknown, path: string): unknown => {
    if (value === null) return [];
    return Array.isArray(value) ? value.map((item, index) => shape.canonical(item, `${path}[${index}]`)) : value;
  };
  return { zero: () => [], canonical };
};

const tupleShape = (items: readonly z.ZodType[]): Shape => {
  const shapes = items.map(shapeOf);
  const zero = (): unknown => shapes.map((shape) => shape.zero());
  const canonical = (value: unknown, path: string): unknown => {
    if (value === null) return zero();
    if (!Array.isArray(value)) return value;
    if (value.length !== shapes.length) {
      throw new ReadFault(`${path}: expected ${shapes.length} elements, received ${value.length}`);
    }
    return value.map((item: unknown, index) => shapes[index]?.canonical(item, `${path}[${index}]`) ?? item);
  };
  return { zero, canonical };
};

const recordShape = (valueType: z.ZodType): Shape => {
  const shape = shapeOf(valueType);
  const canonical = (value: unknown, path: string): unknown => {
    if (value === null) return {};
    if (!isPlainObject(value)) return value;
    const read: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      if (key === "__proto__") throw new ReadFault(`${path} cannot have the key "__proto__"`);
      read[key.toWellFormed()] = shape.canonical(value[key], `${path}.${key}`);
    }
    return read;
  };
  return { zero: () => ({}), canonical };
};

const scalarShape = (zero: string | number | boolean | null): Shape => ({
  zero: () => zero,
  canonical: (value) => {
    if (value === null) return zero;
    return typeof value === "string" ? value.toWellFormed() : value;
  },
});

const nullableShape = (inner: z.ZodType): Shape => {
  const shape = shapeOf(inner);
  return { zero: () => null, canonical: (value, path) => (value === null ? null : shape.canonical(value, path)) };
};

const SCALARS: Readonly<Record<string, string | number | boolean>> = { string: "", number: 0, int: 0, boolean: false };

const shapeOf = (schema: z.ZodType): Shape => {
  const definition = schema._zod.def as unknown as Definition;
  if (definition.shape !== undefined) return objectShape(definition.shape);
  if (definition.element !== undefined) return arrayShape(definition.element);
  if (definition.items !== undefined) return tupleShape(definition.items);
  if (definition.valueType !== undefined) return recordShape(definition.valueType);
  if (definition.type === "nullable" && definition.innerType !== undefined) return nullableShape(definition.innerType);
  const inner = definition.innerType ?? definition.in;
  if (inner !== undefined) return shapeOf(inner);
  const zero = SCALARS[definition.type];
  if (zero === undefined) throw new Error(`schema of type ${definition.type} has no zero value`);
  return scalarShape(zero);
};

const pathText = (path: readonly PropertyKey[]): string =>
  path.map((step, index) => (typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${String(step)}`)).join("");

/** Builds a reader for requests of this schema. */
export const wireReader = <Value>(schema: z.ZodType<Value>): WireReader<Value> => {
  const shape = shapeOf(schema);
  return (json) => {
    if (!isPlainObject(json)) return { ok: false, fault: "request is not a JSON object" };
    try {
      const parsed = schema.safeParse(shape.canonical(json, ""));
      if (parsed.success) return { ok: true, value: parsed.data };
      const [issue] = parsed.error.issues;
      return { ok: false, fault: `${pathText(issue?.path ?? [])}: ${issue?.message ?? "is not valid"}` };
    } catch (error) {
      if (error instanceof ReadFault) return { ok: false, fault: error.message };
      throw error;
    }
  };
};
