/** What is kept of a cached result: `build-cache/<id>.json`. */
import * as v from 'valibot';
import { type Digest, parseDigest } from '../../oci/digest.ts';

const digest = v.custom<Digest>(
  (value) => typeof value === 'string' && parseDigest(value) !== undefined,
  'not a digest',
);

const Layer = v.strictObject({
  descriptor: v.strictObject({ mediaType: v.string(), digest, size: v.number() }),
  diffId: digest,
  chainId: digest,
});

const Schema = v.strictObject({
  v: v.literal(1),
  kind: v.picklist(['regular', 'exec.cachemount', 'source.local', 'source.git.checkout']),
  description: v.string(),
  parents: v.array(v.string()),
  /** What an instruction wrote; null when it wrote nothing. Absent for directories. */
  layer: v.optional(v.nullable(Layer)),
  /** Name of a directory that belongs to the record. */
  directory: v.optional(v.string()),
  sizeBytes: v.number(),
  createdAt: v.string(),
  lastUsedAt: v.optional(v.string()),
  usageCount: v.number(),
});

export type CacheDocument = v.InferOutput<typeof Schema>;

/** Throws when the value is no such document. */
export function decodeCacheDocument(raw: unknown): CacheDocument {
  return v.parse(Schema, raw);
}
