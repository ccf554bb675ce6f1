/** What is stored of an image: which manifest it came with and how it is called. The rest is in its blobs. */
import * as v from 'valibot';
import { type Digest, parseDigest } from '../../oci/digest.ts';

export interface ImageDocument {
  readonly v: 1;
  /** Digest of the image config: the image's id. */
  readonly id: Digest;
  readonly manifest: {
    readonly mediaType: string;
    readonly digest: Digest;
    readonly size: number;
  };
  /** Index that the manifest was chosen from, when there was one: its blob is kept as well. */
  readonly indexDigest?: Digest;
  /** Blobs of the index's other manifests that are here because they were made here. */
  readonly besides?: readonly Digest[];
  /** Image that it was made from by a commit. */
  readonly parentId?: Digest;
  /** Full references with tag: `docker.io/library/busybox:latest`. */
  readonly tags: readonly string[];
  /** Full references with digest: `docker.io/library/busybox@sha256:…`. */
  readonly repoDigests: readonly string[];
  /** RFC 3339; when a tag was last put on it. */
  readonly lastTaggedAt: string;
}

const digest = v.pipe(
  v.string(),
  v.check((text) => parseDigest(text) !== undefined, 'is not a sha256 digest'),
  v.transform((text) => text as Digest),
);

const schema = v.object({
  v: v.literal(1),
  id: digest,
  manifest: v.object({ mediaType: v.string(), digest, size: v.number() }),
  indexDigest: v.exactOptional(digest),
  besides: v.exactOptional(v.array(digest)),
  parentId: v.exactOptional(digest),
  tags: v.array(v.string()),
  repoDigests: v.array(v.string()),
  lastTaggedAt: v.string(),
});

/** Decodes a stored document; throws with the path of what is wrong. */
export function decodeImageDocument(raw: unknown): ImageDocument {
  return v.parse(schema, raw);
}
