/** Decoding of JSON as Go's decoder does it, on top of valibot schemas. */
import * as v from 'valibot';
import { emptyBody, invalidField, malformedJson, trailingContent } from './wire-errors.ts';

/** A text field. */
export const text = v.string();
/** A boolean field. */
export const flag = v.boolean();
/** A whole number within the range that JavaScript holds exactly. */
export const integer = v.pipe(v.number(), v.safeInteger());
/** A list of texts. */
export const texts = v.array(text);
/** A map from text to text; null values read as empty, as in Go. */
export const textMap = v.record(text, v.nullable(text, ''));
/** A set written as an object, `{"80/tcp":{}}`; what stands at the keys does not matter. */
export const keySet = v.pipe(
  v.record(text, v.unknown()),
  v.transform((map) => Object.fromEntries(Object.keys(map).map((key) => [key, {} as object]))),
);
/** A command: a list, or one text that stands for a list of one. */
export const command = v.union([
  texts,
  v.pipe(
    text,
    v.transform((word) => [word]),
  ),
]);

/**
 * An object with the given fields. Unknown fields are dropped, `null` means "not set", and names match in any
 * case, all as Go's decoder has it.
 */
export function struct<const Entries extends v.ObjectEntries>(entries: Entries) {
  const names = new Map(Object.keys(entries).map((name) => [name.toLowerCase(), name]));
  return v.pipe(
    v.custom<Record<string, unknown>>(isObject, 'expected an object'),
    v.transform((raw) => selectFields(raw, names)),
    v.object(entries),
  );
}

/** A field that may be missing. */
export const field = v.exactOptional;

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function selectFields(
  raw: Record<string, unknown>,
  names: ReadonlyMap<string, string>,
): Record<string, unknown> {
  const selected: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    const name = names.get(key.toLowerCase());
    if (name !== undefined && value !== null) selected[name] = value;
  }
  return selected;
}

/** Decodes `raw` or rejects with `invalid-argument` naming the field. */
export function decode<Output>(schema: v.GenericSchema<unknown, Output>, raw: unknown): Output {
  const result = v.safeParse(schema, raw, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw invalidField(v.getDotPath(issue) ?? '', issue.message);
}

/** Parses a JSON text with dockerd's errors: empty, malformed, more than one value. */
export function parseJson(body: string): unknown {
  if (body.trim() === '') throw emptyBody();
  try {
    return JSON.parse(body);
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    throw cause.message.includes('after JSON') ? trailingContent() : malformedJson(cause);
  }
}
