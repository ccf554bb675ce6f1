/** From a tag or digest in a registry to the manifest of one image for one platform. */
import type { FetchedManifest, Repository } from '../../distribution/image-registry.ts';
import { decodeIndex, decodeJson, decodeManifest } from '../../oci/decode-image.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Descriptor, Index, Manifest } from '../../oci/image-spec.ts';
import {
  isForeignLayerType,
  isImageConfigType,
  isIndexType,
  isManifestType,
  isSchema1Type,
  layerCompression,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../oci/media-types.ts';
import { choosePlatform, type Platform } from '../../oci/platform.ts';
import type { ImageReference } from '../../oci/reference.ts';
import {
  foreignLayer,
  malformedDocument,
  noMatchingManifest,
  notAnImage,
  schema1Manifest,
  unsupportedLayer,
  unsupportedManifest,
} from './image-errors.ts';

/** A manifest, and the index that led to it. */
export interface SelectedManifest {
  /** What the reference itself names: index or manifest. Its digest is the one Docker shows. */
  readonly top: FetchedManifest;
  readonly manifest: FetchedManifest;
}

/** Indexes within indexes are legal, but nobody nests them deeper. */
const MAX_DEPTH = 4;

/** BuildKit's attestations stand in indexes beside the images. */
const ATTESTATION = 'attestation-manifest';

/** `not-found` when the index has nothing for the platform; other kinds for what is no image. */
export async function selectManifest(
  repository: Repository,
  wanted: { readonly reference: ImageReference; readonly platform: Platform },
  signal: AbortSignal,
): Promise<SelectedManifest> {
  const { reference, platform } = wanted;
  const top = await fetchTyped(repository, reference.digest ?? reference.tag ?? '', signal);
  let current = top;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (isSchema1Type(current.mediaType)) throw schema1Manifest(reference);
    if (isManifestType(current.mediaType)) return { top, manifest: current };
    if (!isIndexType(current.mediaType)) throw unsupportedManifest(current.mediaType);
    const chosen = chooseFrom(parseIndex(current.bytes), platform);
    current = await fetchTyped(repository, chosen, signal);
  }
  throw unsupportedManifest(current.mediaType);
}

/** Decodes a manifest and refuses what cannot become a container. */
export function parseImageManifest(bytes: Uint8Array): Manifest {
  const decoded = decodeJson(bytes, decodeManifest);
  if (!decoded.ok) throw malformedDocument('manifest', decoded.problem);
  const { config, layers } = decoded.value;
  if (!isImageConfigType(config.mediaType)) throw notAnImage(config.mediaType);
  for (const { mediaType } of layers) {
    if (isForeignLayerType(mediaType)) throw foreignLayer(mediaType);
    if (layerCompression(mediaType) === undefined) throw unsupportedLayer(mediaType);
  }
  return decoded.value;
}

/** A manifest whose media type is what the document says it is, whatever the registry says. */
export async function fetchTyped(
  repository: Repository,
  tagOrDigest: string,
  signal: AbortSignal,
): Promise<FetchedManifest> {
  const fetched = await repository.fetchManifest(tagOrDigest, signal);
  return { ...fetched, mediaType: documentType(fetched) };
}

/** What the document says it is; else what the registry says; else what it looks like. */
function documentType(fetched: FetchedManifest): string {
  const raw = tryParse(fetched.bytes);
  if (typeof raw['mediaType'] === 'string') return raw['mediaType'];
  const { mediaType } = fetched;
  if (isIndexType(mediaType) || isManifestType(mediaType) || isSchema1Type(mediaType)) {
    return mediaType;
  }
  if (Array.isArray(raw['manifests'])) return OCI_INDEX;
  return Array.isArray(raw['layers']) ? OCI_MANIFEST : mediaType;
}

function tryParse(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch (error) {
    throw malformedDocument('manifest', error instanceof Error ? error.message : 'not JSON');
  }
}

function parseIndex(bytes: Uint8Array): Index {
  const decoded = decodeJson(bytes, decodeIndex);
  if (!decoded.ok) throw malformedDocument('manifest list', decoded.problem);
  return decoded.value;
}

/** True for an entry of an index that tells about another one instead of being an image. */
export function isAttestation({ annotations }: Pick<Descriptor, 'annotations'>): boolean {
  return annotations?.['vnd.docker.reference.type'] === ATTESTATION;
}

function chooseFrom(index: Index, platform: Platform): Digest {
  const images = index.manifests.filter((child) => !isAttestation(child));
  const platforms = images.map((image) => image.platform);
  const chosen = choosePlatform(platforms, platform);
  const [only] = images;
  // An index with one entry and no platform is how some tools wrap an image.
  const isBare = images.length === 1 && only?.platform === undefined;
  const descriptor = chosen === undefined && isBare ? only : images[chosen ?? -1];
  if (descriptor === undefined) throw noMatchingManifest(platform);
  return descriptor.digest;
}
