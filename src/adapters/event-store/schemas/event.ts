/** What the schemas of all events share. Strict everywhere: a key that is not expected means that somebody else's event is read. */
import * as z from "zod";

/** A schema of one event type; `at` is stored in whole milliseconds. */
export const event = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.strictObject({ type: z.literal(type), at: z.int(), ...shape });

/** Milliseconds, as an instant or a duration. */
export const ms = z.number();

export const identity = z.strictObject({ kind: z.enum(["operator", "account", "holdrule", "system"]), name: z.string() });

export const eventReference = z.strictObject({ stream: z.string(), revision: z.int() });

export const texts = z.record(z.string(), z.string());
