/**
 * Decoders for image documents that come from registries, archives and our own store. They keep unknown
 * fields out and answer problems as text; the caller decides what kind of error that is.
 */
import * as v from 'valibot';
import { type Digest, parseDigest } from './digest.ts';
import type { ImageConfig, Index, Manifest } from './image-spec.ts';

/** A decoded document, or why it is none. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

const digestSchema = v.pipe(
  v.string(),
  v.check((given) => parseDigest(given) !== undefined, 'is not a sha256 digest'),
  v.transform((given) => given as Digest),
);
const text = v.optional(v.string());
const texts = v.nullish(v.array(v.string()));
const textMap = v.nullish(v.record(v.string(), v.string()));
const objectMap = v.nullish(v.record(v.string(), v.looseObject({})));

const platformSchema = v.object({
  os: v.string(),
  architecture: v.string(),
  variant: text,
  'os.version': text,
});

const descriptorSchema = v.object({
  mediaType: v.optional(v.string(), ''),
  digest: digestSchema,
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  platform: v.optional(platformSchema),
  annotations: v.optional(v.record(v.string(), v.string())),
  artifactType: text,
});

const manifestSchema = v.object({
  schemaVersion: v.literal(2),
  mediaType: text,
  config: descriptorSchema,
  layers: v.array(descriptorSchema),
  annotations: v.optional(v.record(v.string(), v.string())),
  artifactType: text,
});

const indexSchema = v.object({
  schemaVersion: v.literal(2),
  mediaType: text,
  manifests: v.array(descriptorSchema),
  annotations: v.optional(v.record(v.string(), v.string())),
});

const runConfigSchema = v.object({
  User: text,
  ExposedPorts: objectMap,
  Env: texts,
  Entrypoint: texts,
  Cmd: texts,
  Volumes: objectMap,
  WorkingDir: text,
  Labels: textMap,
  StopSignal: text,
  StopTimeout: v.nullish(v.number()),
  Healthcheck: v.nullish(v.looseObject({})),
  OnBuild: texts,
  Shell: texts,
});

const configSchema = v.object({
  created: v.nullish(v.string()),
  author: text,
  architecture: v.optional(v.string(), ''),
  os: v.optional(v.string(), 'linux'),
  variant: text,
  'os.version': text,
  config: v.nullish(runConfigSchema),
  rootfs: v.object({
    type: v.literal('layers'),
    diff_ids: v.nullish(v.array(digestSchema), []),
  }),
  history: v.nullish(
    v.array(
      v.object({
        created: text,
        created_by: text,
        author: text,
        comment: text,
        empty_layer: v.optional(v.boolean()),
      }),
    ),
  ),
});

/** A manifest of one image (OCI or Docker schema 2). */
export function decodeManifest(raw: unknown): Decoded<Manifest> {
  return decode<Manifest>(manifestSchema, raw);
}

/** An index or manifest list. */
export function decodeIndex(raw: unknown): Decoded<Index> {
  return decode<Index>(indexSchema, raw);
}

/** An image config; `config`, `created` and `history` may be null or missing in the wild. */
export function decodeImageConfig(raw: unknown): Decoded<ImageConfig> {
  return decode<ImageConfig>(configSchema, raw);
}

/** Parses JSON bytes and decodes them. */
export function decodeJson<T>(
  bytes: Uint8Array,
  decoder: (raw: unknown) => Decoded<T>,
): Decoded<T> {
  let raw: unknown;
  try {
    raw = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : 'not JSON' };
  }
  return decoder(raw);
}

function decode<T>(schema: v.GenericSchema<unknown, unknown>, raw: unknown): Decoded<T> {
  const result = v.safeParse(schema, raw);
  if (!result.success) return { ok: false, problem: problemOf(result.issues[0]) };
  return { ok: true, value: withoutUnset(result.output) as T };
}

function problemOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? '';
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

/** Drops top-level nulls, so that "absent" has one form; nested nulls are part of the documents' types. */
function withoutUnset(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== undefined && member !== null),
  );
}
