/** What an image is made of as its registry tells it: the manifest that is here, and others of the index it came with. */
import { decodeJson, decodeManifest } from '../../oci/decode-image.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import type { ImageDeps } from './image-deps.ts';
import { type ImageRecord, MAX_DOCUMENT_BYTES } from './image-store.ts';
import type { ManifestView } from './image-view.ts';
import { isAttestation } from './select-manifest.ts';

/** The manifest that an attestation is about, by BuildKit's annotation. */
const ATTESTED = 'vnd.docker.reference.digest';

/** One entry for each manifest of the index, in its order; one in all for an image without an index. */
export async function imageManifests(
  deps: Pick<ImageDeps, 'content' | 'usedBy'>,
  record: ImageRecord,
): Promise<readonly ManifestView[]> {
  const own = record.document.manifest;
  const listed = record.index?.manifests ?? [own];
  return await Promise.all(
    listed.map((descriptor) =>
      descriptor.digest === own.digest
        ? ownManifest(deps, record, descriptor)
        : otherManifest(deps, descriptor),
    ),
  );
}

async function ownManifest(
  deps: Pick<ImageDeps, 'content' | 'usedBy'>,
  record: ImageRecord,
  descriptor: Descriptor,
): Promise<ManifestView> {
  const { config, manifest, document, sizeBytes } = record;
  const blobs = [document.manifest, manifest.config, ...manifest.layers];
  const sizes = await Promise.all(blobs.map(({ digest }) => deps.content.stat(digest)));
  const { os, architecture, variant } = config;
  return {
    kind: 'image',
    descriptor,
    isAvailable: sizes.every((size) => size !== undefined),
    contentBytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
    unpackedBytes: sizeBytes,
    platform: descriptor.platform ?? {
      ...{ os, architecture },
      ...(variant === undefined ? {} : { variant }),
    },
    containerIds: deps.usedBy(document.id).map(({ id }) => id),
  };
}

/** What a manifest names; undefined when it is not here. */
export async function manifestBlobs(
  { content }: Pick<ImageDeps, 'content'>,
  { digest }: Pick<Descriptor, 'digest'>,
): Promise<readonly Descriptor[] | undefined> {
  if ((await content.stat(digest)) === undefined) return undefined;
  const decoded = decodeJson(await content.read(digest, MAX_DOCUMENT_BYTES), decodeManifest);
  return decoded.ok ? [decoded.value.config, ...decoded.value.layers] : undefined;
}

/** Of these nothing is fetched but, perhaps, the manifest itself. */
async function otherManifest(
  deps: Pick<ImageDeps, 'content'>,
  descriptor: Descriptor,
): Promise<ManifestView> {
  const blobs = await manifestBlobs(deps, descriptor);
  const listed = [descriptor, ...(blobs ?? [])];
  const sizes = await Promise.all(listed.map(({ digest }) => deps.content.stat(digest)));
  const common = {
    descriptor,
    isAvailable: blobs !== undefined && !sizes.includes(undefined),
    contentBytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
  };
  const { platform, annotations } = descriptor;
  if (isAttestation(descriptor)) {
    return { ...common, kind: 'attestation', attests: annotations?.[ATTESTED] ?? '' };
  }
  if (platform === undefined) return { ...common, kind: 'unknown' };
  return { ...common, kind: 'image', unpackedBytes: 0, platform, containerIds: [] };
}
