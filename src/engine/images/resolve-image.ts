/** From what a user typed to an image: a name with tag or digest, an id, or the beginning of one. */
import { parseReference, withDefaultTag } from '../../oci/reference.ts';
import { invalidReference, noSuchImage } from './image-errors.ts';
import type { ImageRecord, ImageStore } from './image-store.ts';
import { storedName } from './stored-name.ts';

/** How an image was found: removal treats names and ids differently. */
export type FoundImage =
  | { readonly by: 'name'; readonly record: ImageRecord; readonly name: string }
  | { readonly by: 'id'; readonly record: ImageRecord };

const ID = /^(?:sha256:)?([0-9a-f]{1,64})$/;

/** `not-found` when nothing fits, or more than one id does; `invalid-argument` for what cannot be a name. */
export function resolveImage(store: ImageStore, ref: string): FoundImage {
  const found = tryResolveImage(store, ref);
  if (found !== undefined) return found;
  const parsed = parseReference(ref);
  if (!parsed.ok && !ID.test(ref)) throw invalidReference(parsed.problem);
  throw noSuchImage(ref);
}

/** Like `resolveImage`, undefined instead of an error. Names win over ids, as for Docker. */
export function tryResolveImage(store: ImageStore, ref: string): FoundImage | undefined {
  const parsed = ref.startsWith('sha256:') ? undefined : parseReference(ref);
  if (parsed?.ok === true) {
    const name = storedName(withDefaultTag(parsed.reference));
    const record = store.find(name);
    if (record !== undefined) return { by: 'name', record, name };
  }
  const record = findById(store, ref);
  return record === undefined ? undefined : { by: 'id', record };
}

function findById(store: ImageStore, ref: string): ImageRecord | undefined {
  const hex = ID.exec(ref)?.[1];
  if (hex === undefined) return undefined;
  const prefix = `sha256:${hex}`;
  const found = store.list().filter(({ document }) => document.id.startsWith(prefix));
  return found.length === 1 ? found[0] : undefined;
}
