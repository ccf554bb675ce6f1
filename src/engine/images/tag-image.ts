/** `docker tag`. */
import { familiarReference, parseReference, withDefaultTag } from '../../oci/reference.ts';
import type { ImageDeps } from './image-deps.ts';
import { invalidReference, tagWithDigest } from './image-errors.ts';
import { publishImageEvent } from './image-events.ts';
import { resolveImage, storedName } from './resolve-image.ts';

/** Gives an image one more name, taking it from another image when that has it. */
export async function tagImage(
  deps: ImageDeps,
  ref: string,
  target: { readonly repository: string; readonly tag: string | undefined },
): Promise<void> {
  const { record } = resolveImage(deps.store, ref);
  const hasTag = target.tag !== undefined && target.tag !== '';
  const parsed = parseReference(hasTag ? `${target.repository}:${target.tag}` : target.repository);
  if (!parsed.ok) throw invalidReference(parsed.problem);
  if (parsed.reference.digest !== undefined) throw tagWithDigest();
  const reference = withDefaultTag(parsed.reference);
  await deps.store.put({
    ...record.document,
    tags: [storedName(reference)],
    repoDigests: [],
    lastTaggedAt: deps.clock.nowIso(),
  });
  const name = familiarReference(reference);
  publishImageEvent(deps, 'tag', { record, actorId: record.document.id, name });
}
