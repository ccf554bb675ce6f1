/** `docker tag`. */
import {
  familiarName,
  familiarReference,
  type ImageReference,
  parseReference,
  withDefaultTag,
} from '../../oci/reference.ts';
import type { ImageDeps } from './image-deps.ts';
import { invalidReference, tagLikeDigest, tagWithDigest } from './image-errors.ts';
import { publishImageEvent } from './image-events.ts';
import { resolveImage } from './resolve-image.ts';
import { storedName } from './stored-name.ts';

/** A name that an image is to have. */
export interface TagTarget {
  readonly repository: string;
  /** `latest` when there is none. */
  readonly tag: string | undefined;
}

/** The name as a reference. `invalid-argument` when it is none that a tag can have. */
export function tagReference({ repository, tag }: TagTarget): ImageReference {
  const parsed = parseReference(
    tag === undefined || tag === '' ? repository : `${repository}:${tag}`,
  );
  if (!parsed.ok) throw invalidReference(parsed.problem);
  if (parsed.reference.digest !== undefined) throw tagWithDigest();
  if (familiarName(parsed.reference) === 'sha256') throw tagLikeDigest();
  return withDefaultTag(parsed.reference);
}

/** Gives an image one more name, taking it from another image when that has it. */
export async function tagImage(deps: ImageDeps, ref: string, target: TagTarget): Promise<void> {
  const { record } = resolveImage(deps.store, ref);
  const reference = tagReference(target);
  await deps.store.put({
    ...record.document,
    tags: [storedName(reference)],
    repoDigests: [],
    lastTaggedAt: deps.clock.nowIso(),
  });
  const name = familiarReference(reference);
  publishImageEvent(deps, 'tag', { record, actorId: record.document.id, name });
}
