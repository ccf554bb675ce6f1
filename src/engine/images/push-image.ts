/** `docker push`. */
import type { PushRequest } from '../../api/image-backend.ts';
import type { PushTarget } from '../../distribution/image-registry.ts';
import { decodeIndex, decodeJson } from '../../oci/decode-image.ts';
import { type Digest, digestHex } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import { isForeignLayerType, OCI_INDEX } from '../../oci/media-types.ts';
import {
  familiarName,
  type ImageReference,
  parseReference,
  repositoryName,
} from '../../oci/reference.ts';
import type { ProgressMessage } from '../../wire/json-stream.ts';
import { compressImage } from './compress-image.ts';
import type { ImageDeps } from './image-deps.ts';
import {
  invalidReference,
  noImageInRepository,
  noSuchTag,
  pushWithDigest,
} from './image-errors.ts';
import { publishImageEvent } from './image-events.ts';
import { manifestBlobs } from './image-manifests.ts';
import { type ImageRecord, MAX_DOCUMENT_BYTES } from './image-store.ts';
import { LayerPush } from './layer-push.ts';
import { checkImagePlatform, toPlatform } from './platform-choice.ts';
import { ProgressChannel } from './progress-channel.ts';
import { parseStoredName, storedName } from './stored-name.ts';
import { toFamiliar } from './to-image-view.ts';

/** `invalid-argument` for a malformed name; everything later is told in the stream, as dockerd does. */
export function pushImage(
  deps: ImageDeps,
  request: PushRequest,
  signal: AbortSignal,
): AsyncIterable<ProgressMessage> {
  const reference = toReference(request);
  const left = new AbortController();
  const channel = new ProgressChannel(deps.clock.now, () => left.abort());
  const run = { channel, signal: AbortSignal.any([signal, left.signal]) };
  pushAll(deps, { ...request, reference }, run).then(
    () => channel.close(),
    (error: unknown) => channel.fail(error),
  );
  return channel;
}

interface Push extends PushRequest {
  readonly reference: ImageReference;
}

interface PushRun {
  readonly channel: ProgressChannel;
  readonly signal: AbortSignal;
}

/** One tag, or without one all tags of the repository. */
async function pushAll(deps: ImageDeps, push: Push, run: PushRun): Promise<void> {
  const { reference } = push;
  const repository = repositoryName(reference);
  run.channel.send({ status: `The push refers to repository [${repository}]` });
  const names = deps.store
    .list()
    .flatMap(({ document }) => document.tags)
    .filter((name) => repositoryName(parseStoredName(name)) === repository);
  if (names.length === 0) throw noImageInRepository(familiarName(reference));
  const target = deps.registry.pushTarget(reference, push.credentials);
  const wanted = reference.tag === undefined ? names.toSorted() : [storedName(reference)];
  for (const name of wanted) {
    const found = deps.store.find(name);
    if (found === undefined) throw noSuchTag(toFamiliar(name));
    const record = await compressImage(deps, found, run.signal);
    await pushOne(deps, { name, record, target, platform: push.platform }, run);
  }
}

interface TaggedImage {
  /** Full reference with tag. */
  readonly name: string;
  readonly record: ImageRecord;
  readonly target: PushTarget;
  readonly platform: string | undefined;
}

async function pushOne(deps: ImageDeps, image: TaggedImage, run: PushRun): Promise<void> {
  const { name, record } = image;
  const { manifest, document } = record;
  if (image.platform !== undefined) {
    const wanted = toPlatform(image.platform, deps.platform);
    checkImagePlatform(parseStoredName(name), record.config, wanted);
  }
  const layers = manifest.layers.filter(({ mediaType }) => !isForeignLayerType(mediaType));
  const blobs = [manifest.config, ...layers].map(({ digest }) => digest);
  const release = await deps.leases.hold([document.manifest.digest, ...blobs]);
  try {
    await pushLayers(deps, { ...image, layers }, run);
    const pushed = await pushManifests(deps, image, run);
    await remember(deps, image, pushed.digest);
    const { tag = '' } = parseStoredName(name);
    run.channel.send({ status: `${tag}: digest: ${pushed.digest} size: ${pushed.size}` });
    const aux = { Tag: tag, Digest: pushed.digest, Size: pushed.size };
    run.channel.send({ progressDetail: {}, aux });
    const shown = toFamiliar(name);
    publishImageEvent(deps, 'push', {
      ...{ record, actorId: shown, name: familiarName(parseStoredName(name)) },
    });
  } finally {
    release();
  }
}

async function pushLayers(
  deps: ImageDeps,
  image: TaggedImage & { readonly layers: readonly Descriptor[] },
  run: PushRun,
): Promise<void> {
  const { record, target, layers } = image;
  const sources = mountSources(deps, parseStoredName(image.name));
  const diffIds = record.config.rootfs.diff_ids;
  const pushes = [...new Map(layers.map((layer) => [layer.digest, layer])).values()].map(
    (layer) =>
      new LayerPush(deps.content, {
        ...{ blob: layer, target, channel: run.channel, mountFrom: sources.get(layer.digest) },
        label: digestHex(diffIds[record.manifest.layers.indexOf(layer)] ?? layer.digest).slice(
          0,
          12,
        ),
      }),
  );
  await LayerPush.all(pushes.toReversed(), { atOnce: deps.maxUploads, signal: run.signal });
  const config = { blob: record.manifest.config, target, channel: undefined, label: '' };
  await new LayerPush(deps.content, { ...config, mountFrom: undefined }).run(run.signal);
}

/** Blobs that are known to be in another repository of the same registry, because they came from there. */
function mountSources(deps: ImageDeps, to: ImageReference): ReadonlyMap<Digest, string> {
  const sources = new Map<Digest, string>();
  for (const { document, manifest } of deps.store.list()) {
    const from = document.repoDigests
      .map(parseStoredName)
      .find(({ domain, path }) => domain === to.domain && path !== to.path);
    if (from === undefined) continue;
    for (const { digest } of manifest.layers) sources.set(digest, from.path);
  }
  return sources;
}

/**
 * The index under the tag when all it names is here; else the one manifest that is, which is said so: of the
 * others there is nothing to push.
 */
async function pushManifests(
  deps: ImageDeps,
  image: TaggedImage,
  run: PushRun,
): Promise<Pick<Descriptor, 'digest' | 'size'>> {
  const { record, target } = image;
  const { manifest: own, indexDigest } = record.document;
  const { tag = '' } = parseStoredName(image.name);
  const document = async (digest: Digest) => await deps.content.read(digest, MAX_DOCUMENT_BYTES);
  const manifest = { mediaType: own.mediaType, bytes: await document(own.digest) };
  const index = indexDigest === undefined ? undefined : await readIndex(deps, indexDigest);
  if (index === undefined || image.platform !== undefined) {
    await target.putManifest(tag, manifest, run.signal);
    return own;
  }
  const others = index.children.filter(({ digest }) => digest !== own.digest);
  if (await areStored(deps, others)) {
    await target.putManifest(own.digest, manifest, run.signal);
    for (const child of others) await pushOther(deps, { child, target }, run);
    await target.putManifest(tag, index, run.signal);
    return index.descriptor;
  }
  await target.putManifest(tag, manifest, run.signal);
  run.channel.send({
    aux: {
      manifestPushedInsteadOfIndex: true,
      originalIndex: index.descriptor,
      selectedManifest: own,
    },
  });
  return own;
}

async function readIndex(deps: ImageDeps, digest: Digest) {
  const bytes = await deps.content.read(digest, MAX_DOCUMENT_BYTES);
  const decoded = decodeJson(bytes, decodeIndex);
  if (!decoded.ok) return undefined;
  const { manifests } = decoded.value;
  const mediaType = decoded.value.mediaType || OCI_INDEX;
  return {
    ...{ mediaType, bytes, descriptor: { mediaType, digest, size: bytes.length } },
    children: manifests,
  };
}

/** True when images that were made here are beside the one that goes by the name: then all of the index is pushed. */
async function areStored(deps: ImageDeps, others: readonly Descriptor[]): Promise<boolean> {
  const all = await Promise.all(others.map((child) => manifestBlobs(deps, child)));
  const sizes = await Promise.all(
    all.flatMap((blobs) => blobs?.map(({ digest }) => deps.content.stat(digest)) ?? [undefined]),
  );
  return !sizes.includes(undefined);
}

async function pushOther(
  deps: ImageDeps,
  { child, target }: { readonly child: Descriptor; readonly target: PushTarget },
  run: PushRun,
): Promise<void> {
  for (const blob of (await manifestBlobs(deps, child)) ?? []) {
    const options = { blob, target, channel: undefined, label: '', mountFrom: undefined };
    await new LayerPush(deps.content, options).run(run.signal);
  }
  const bytes = await deps.content.read(child.digest, MAX_DOCUMENT_BYTES);
  await target.putManifest(child.digest, { mediaType: child.mediaType, bytes }, run.signal);
}

/** From now on the image is known to be in that repository. */
async function remember(deps: ImageDeps, image: TaggedImage, digest: Digest): Promise<void> {
  const repository = repositoryName(parseStoredName(image.name));
  const { document } = image.record;
  await deps.store.put({ ...document, tags: [], repoDigests: [`${repository}@${digest}`] });
}

function toReference({ image, tag }: PushRequest): ImageReference {
  const parsed = parseReference(image);
  if (!parsed.ok) throw invalidReference(parsed.problem);
  if (parsed.reference.digest !== undefined) throw pushWithDigest();
  if (tag === undefined || tag === '') return parsed.reference;
  const tagged = parseReference(`${repositoryName(parsed.reference)}:${tag}`);
  if (!tagged.ok) throw invalidReference(tagged.problem);
  return tagged.reference;
}
