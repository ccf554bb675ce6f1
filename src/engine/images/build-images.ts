/** Images as builds use them: bases that they stand on, and what they make. */
import type {
  BaseImage,
  BuildImages,
  NewImage,
  OpenLayer,
  PlacedLayer,
  ResolveImageRequest,
  StoredImage,
} from '../../builder/build-images.ts';
import { formatPlatform } from '../../oci/platform.ts';
import {
  canonicalReference,
  familiarReference,
  type ImageReference,
  parseReference,
  withDefaultTag,
} from '../../oci/reference.ts';
import { kindOf } from '../../shared/errors.ts';
import { collectGarbage, digestsOf } from './collect-garbage.ts';
import type { ImageDeps } from './image-deps.ts';
import { invalidReference, noSuchImage } from './image-errors.ts';
import { publishImageEvent } from './image-events.ts';
import type { ImageRecord } from './image-store.ts';
import { abandonImage } from './materialize-image.ts';
import { checkImagePlatform } from './platform-choice.ts';
import { pullImage } from './pull-image.ts';
import { tryResolveImage } from './resolve-image.ts';
import { storeMadeImage } from './store-made-image.ts';

export function buildImages(deps: ImageDeps): BuildImages {
  return {
    resolve: (request, signal) => resolveBase(deps, request, signal),
    store: (image) => storeImage(deps, image),
    usesLayer: (chainId) => deps.store.list().some((record) => record.chainIds.includes(chainId)),
    sweep: async () => void (await collectGarbage(deps)),
    fetchLayer: (layer, openBlob, signal) => fetchLayer(deps, { layer, openBlob }, signal),
    compressed: (layer, signal) => deps.compressor.compressed(layer, signal),
    hold: (digests) => deps.leases.hold(digests),
  };
}

async function resolveBase(
  deps: ImageDeps,
  request: ResolveImageRequest,
  signal: AbortSignal,
): Promise<BaseImage> {
  const stored = request.pull === 'always' ? undefined : findStored(deps, request);
  if (stored !== undefined) return await holdBase(deps, request, stored);
  if (request.pull === 'never') throw noSuchImage(request.ref);
  await pullBase(deps, request, signal);
  const pulled = tryResolveImage(deps.store, request.ref)?.record;
  if (pulled === undefined) throw noSuchImage(request.ref);
  return await holdBase(deps, request, pulled);
}

/** One that is here and runs on the platform. */
function findStored(deps: ImageDeps, request: ResolveImageRequest): ImageRecord | undefined {
  const record = tryResolveImage(deps.store, request.ref)?.record;
  if (record === undefined) return undefined;
  try {
    checkImagePlatform(toReference(request.ref), record.config, request.platform);
    return record;
  } catch (error) {
    if (kindOf(error) === 'not-found') return undefined;
    throw error;
  }
}

async function pullBase(
  deps: ImageDeps,
  request: ResolveImageRequest,
  signal: AbortSignal,
): Promise<void> {
  const reference = withDefaultTag(toReference(request.ref));
  const isOwn = formatPlatform(request.platform) === formatPlatform(deps.platform);
  const progress = await pullImage(
    deps,
    {
      image: familiarReference(reference),
      tag: undefined,
      platform: isOwn ? undefined : formatPlatform(request.platform),
      credentials: await request.credentialsFor(reference.domain, signal),
    },
    signal,
  );
  for await (const line of progress) request.onProgress(line);
}

function toReference(ref: string): ImageReference {
  const parsed = parseReference(ref);
  if (!parsed.ok) throw invalidReference(parsed.problem);
  return parsed.reference;
}

async function holdBase(
  deps: ImageDeps,
  { ref }: ResolveImageRequest,
  record: ImageRecord,
): Promise<BaseImage> {
  const release = await deps.leases.hold(digestsOf(record));
  const { document, manifest, config, chainIds } = record;
  const digest = document.indexDigest ?? document.manifest.digest;
  const name = canonicalReference(withDefaultTag(toReference(ref)));
  return {
    id: document.id,
    canonicalName: name.includes('@') ? name : `${name}@${digest}`,
    config,
    layers: manifest.layers,
    chainIds,
    release,
  };
}

async function fetchLayer(
  deps: ImageDeps,
  { layer, openBlob }: { readonly layer: PlacedLayer; readonly openBlob: OpenLayer },
  signal: AbortSignal,
): Promise<() => void> {
  const release = await deps.leases.hold([layer.descriptor.digest, layer.chainId]);
  try {
    await deps.transfers.ensure([layer], { openBlob, observe: () => undefined, signal });
    return release;
  } catch (error) {
    await abandonImage(deps, release);
    throw error;
  }
}

async function storeImage(deps: ImageDeps, image: NewImage): Promise<StoredImage> {
  const record = await storeMadeImage(deps, image);
  const actorId = record.document.id;
  publishImageEvent(deps, 'create', { record, actorId, name: actorId });
  for (const reference of image.names) {
    const name = familiarReference(reference);
    publishImageEvent(deps, 'tag', { record, actorId, name });
  }
  const { id, manifest } = record.document;
  return { id, manifest };
}
