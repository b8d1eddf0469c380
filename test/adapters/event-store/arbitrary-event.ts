/** Random events of every type, made from the schemas themselves, so that a new type or field is covered without asking. */
import fc from "fast-check";
import type { ZodType } from "zod";
import { eventSchemas } from "../../../src/adapters/event-store/codec.ts";
import { definitionOf } from "../../../src/adapters/event-store/quick-check.ts";
import type { DomainEvent } from "../../../src/domain/events.ts";

const objectOf = (shape: Readonly<Record<string, ZodType>>): fc.Arbitrary<unknown> => {
  const keys = Object.keys(shape);
  const requiredKeys = keys.filter((key) => definitionOf(shape[key]!).type !== "optional");
  return fc.record(Object.fromEntries(keys.map((key) => [key, arbitrary(shape[key]!)])), { requiredKeys, noNullPrototype: true });
};

/** -0 is the one number that JSON does not keep. */
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));

const arbitrary = (schema: ZodType): fc.Arbitrary<unknown> => {
  const definition = definitionOf(schema);
  switch (definition.type) {
    case "string":
      return fc.string({ unit: "binary" });
    case "number":
      return definition.format === undefined ? finite : fc.maxSafeInteger();
    case "boolean":
      return fc.boolean();
    case "literal":
      return fc.constantFrom(...definition.values!);
    case "enum":
      return fc.constantFrom(...Object.values(definition.entries!));
    case "nullable":
      return fc.option(arbitrary(definition.innerType!), { nil: null });
    case "optional":
      return arbitrary(definition.innerType!);
    case "array":
      return fc.array(arbitrary(definition.element!));
    case "record":
      return fc.dictionary(fc.string({ unit: "binary" }), arbitrary(definition.valueType!), { noNullPrototype: true });
    case "union":
      return fc.oneof(...definition.options!.map(arbitrary));
    case "object":
      return objectOf(definition.shape!);
    default:
      throw new Error(`no arbitrary for a schema of type ${definition.type}`);
  }
};

/** Any event of one type. */
export const arbitraryEventOf = (type: DomainEvent["type"]): fc.Arbitrary<DomainEvent> =>
  arbitrary(eventSchemas[type]) as fc.Arbitrary<DomainEvent>;

/** Any event. */
export const arbitraryEvent: fc.Arbitrary<DomainEvent> = fc.oneof(
  ...Object.keys(eventSchemas).map((type) => arbitraryEventOf(type as DomainEvent["type"])),
);
