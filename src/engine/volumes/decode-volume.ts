/** Reading a volume's document back from disk. */
import * as v from 'valibot';
import type { VolumeDocument } from './volume-document.ts';

const schema = v.object({
  v: v.literal(1),
  name: v.string(),
  driver: v.literal('local'),
  createdAt: v.string(),
  labels: v.record(v.string(), v.string()),
  options: v.record(v.string(), v.string()),
  anonymous: v.boolean(),
  madeFor: v.optional(v.string()),
});

/** The document; throws with the path of what is wrong. */
export function decodeVolume(raw: unknown): VolumeDocument {
  return v.parse(schema, raw) as VolumeDocument;
}
