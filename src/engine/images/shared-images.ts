/** What shared stores offer, as documents of images: one for each name that leads to something this machine can run. */
import { decodeIndex, decodeJson, decodeManifest } from '../../oci/decode-image.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import { isImageConfigType, isIndexType } from '../../oci/media-types.ts';
import { choosePlatform, type Platform } from '../../oci/platform.ts';
import { parseReference, withDefaultTag } from '../../oci/reference.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { ContentStore } from '../../storage/content-store.ts';
import type { SharedEntry } from '../../storage/shared-layouts.ts';
import type { ImageDocument } from './image-document.ts';
import { malformedDocument } from './image-errors.ts';
import { storedName } from './stored-name.ts';

/** Largest manifest that is read into memory. */
const MAX_MANIFEST_BYTES = 8 * 1024 * 1024;

/** An image of a shared store. */
export interface SharedImage {
  readonly dir: string;
  readonly document: ImageDocument;
}

export interface SharedImageDeps {
  readonly content: Pick<ContentStore, 'read'>;
  readonly platform: Platform;
  readonly logger: Logger;
}

/** Reads what the entries lead to; of what is no image for this machine nothing comes. */
export async function sharedImages(
  deps: SharedImageDeps,
  entries: readonly SharedEntry[],
): Promise<readonly SharedImage[]> {
  const images = new Map<Digest, SharedImage>();
  const names = new Set<string>();
  for (const entry of entries) {
    try {
      const document = await documentOf(deps, entry);
      if (document === undefined) continue;
      // The first store that has a name counts.
      const tags = document.tags.filter((tag) => !names.has(tag));
      for (const tag of tags) names.add(tag);
      const known = images.get(document.id);
      const all = [...(known?.document.tags ?? []), ...tags];
      images.set(document.id, {
        dir: known?.dir ?? entry.dir,
        document: { ...document, tags: all },
      });
    } catch (error) {
      const { dir, name = entry.descriptor.digest } = entry;
      deps.logger.warn('an image of a shared store cannot be used', {
        ...{ dir, name, reason: messageOf(error) },
      });
    }
  }
  return [...images.values()];
}

async function documentOf(
  deps: SharedImageDeps,
  { descriptor, name }: SharedEntry,
): Promise<ImageDocument | undefined> {
  const chosen = isIndexType(descriptor.mediaType)
    ? await chooseFrom(deps, descriptor)
    : descriptor;
  if (chosen === undefined) return undefined;
  const bytes = await readProved(deps, chosen.digest);
  const manifest = decodeJson(bytes, decodeManifest);
  if (!manifest.ok) throw malformedDocument('manifest', manifest.problem);
  const { config } = manifest.value;
  if (!isImageConfigType(config.mediaType)) return undefined;
  await readProved(deps, config.digest);
  const isChosen = chosen.digest !== descriptor.digest;
  return {
    v: 1,
    id: config.digest,
    manifest: { mediaType: chosen.mediaType, digest: chosen.digest, size: bytes.length },
    ...(isChosen ? { indexDigest: descriptor.digest } : {}),
    tags: name === undefined ? [] : [tagOf(name)],
    repoDigests: [],
    lastTaggedAt: '0001-01-01T00:00:00Z',
  };
}

async function chooseFrom(
  deps: SharedImageDeps,
  descriptor: Descriptor,
): Promise<Descriptor | undefined> {
  const index = decodeJson(await readProved(deps, descriptor.digest), decodeIndex);
  if (!index.ok) throw malformedDocument('manifest list', index.problem);
  const { manifests } = index.value;
  const at = choosePlatform(
    manifests.map(({ platform }) => platform),
    deps.platform,
  );
  return at === undefined ? undefined : manifests[at];
}

/** Whoever writes to the store may not put other bytes under a digest: layers are proved when they are unpacked. */
async function readProved(deps: SharedImageDeps, digest: Digest): Promise<Uint8Array> {
  const bytes = await deps.content.read(digest, MAX_MANIFEST_BYTES);
  if (digestOf(bytes) !== digest) throw malformedDocument('blob', `${digest} has other bytes`);
  return bytes;
}

function tagOf(name: string): string {
  const parsed = parseReference(name);
  if (!parsed.ok) throw malformedDocument('index', `"${name}" is no name: ${parsed.problem}`);
  return storedName(withDefaultTag(parsed.reference));
}
