/** `docker pull`. */
import { Readable } from 'node:stream';
import type { PullRequest } from '../../api/image-backend.ts';
import type { Repository } from '../../distribution/image-registry.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { Platform } from '../../oci/platform.ts';
import {
  familiarName,
  familiarReference,
  type ImageReference,
  parseReference,
  repositoryName,
  withDefaultTag,
} from '../../oci/reference.ts';
import { findEngineError, kindOf } from '../../shared/errors.ts';
import type { ProgressMessage } from '../../wire/json-stream.ts';
import type { ImageDeps } from './image-deps.ts';
import { invalidReference } from './image-errors.ts';
import { publishImageEvent } from './image-events.ts';
import { announceLayers, pullObserver } from './layer-progress-lines.ts';
import {
  abandonImage,
  type ImageNames,
  type IncomingImage,
  materializeImage,
  prepareImage,
} from './materialize-image.ts';
import { checkImagePlatform, toPlatform } from './platform-choice.ts';
import { ProgressChannel } from './progress-channel.ts';
import { parseImageManifest, type SelectedManifest, selectManifest } from './select-manifest.ts';
import { storedName } from './stored-name.ts';

/**
 * Rejects while nothing was said yet: for what does not exist, may not be read or is no image. The pull itself
 * then runs while the lines are read, and stops when the reader leaves or the signal aborts. A reference without
 * tag and digest means all tags of the repository.
 */
export async function pullImage(
  deps: ImageDeps,
  request: PullRequest,
  signal: AbortSignal,
): Promise<AsyncIterable<ProgressMessage>> {
  const reference = toReference(request);
  if (deps.isOffline) {
    const stored = pullFromStore(deps, withDefaultTag(reference));
    if (stored !== undefined) return stored;
  }
  const source: PullSource = {
    repository: deps.registry.repository(reference, request.credentials),
    platform: toPlatform(request.platform, deps.platform),
    isPlatformChosen: request.platform !== undefined,
  };
  if (reference.tag === undefined && reference.digest === undefined) {
    const tags = await source.repository.listTags(signal);
    const references = tags.map((tag) => ({ ...reference, tag }));
    return start(deps, signal, (run) => pullAll(deps, { source, references }, run));
  }
  const pull = await preparePull(deps, { source, reference }, signal);
  return start(deps, signal, (run) => settlePull(deps, pull, run));
}

/** What a pull says of an image that is here and as new as can be told; undefined when it is not here. */
function pullFromStore(
  deps: ImageDeps,
  reference: ImageReference,
): AsyncIterable<ProgressMessage> | undefined {
  const record = deps.store.find(storedName(reference));
  if (record === undefined) return undefined;
  const status = `Status: Image is up to date for ${familiarReference(reference)}`;
  return Readable.from([
    { status: `Pulling from ${reference.path}`, id: reference.digest ?? reference.tag ?? '' },
    { status: `Digest: ${record.document.indexDigest ?? record.document.manifest.digest}` },
    { status },
  ]);
}

interface PullSource {
  readonly repository: Repository;
  readonly platform: Platform;
  /** Whether the client asked for that platform. */
  readonly isPlatformChosen: boolean;
}

interface Pull {
  readonly reference: ImageReference;
  readonly selected: SelectedManifest;
  readonly image: IncomingImage;
}

interface PullRun {
  readonly channel: ProgressChannel;
  readonly signal: AbortSignal;
}

async function pullAll(
  deps: ImageDeps,
  wanted: { readonly source: PullSource; readonly references: readonly ImageReference[] },
  run: PullRun,
): Promise<void> {
  for (const reference of wanted.references) {
    const pull = await preparePull(deps, { source: wanted.source, reference }, run.signal);
    await settlePull(deps, pull, run);
  }
}

async function preparePull(
  deps: ImageDeps,
  wanted: { readonly source: PullSource; readonly reference: ImageReference },
  signal: AbortSignal,
): Promise<Pull> {
  const { reference, source } = wanted;
  const { repository, platform } = source;
  const selected = await selectManifest(repository, { reference, platform }, signal);
  const { top, manifest } = selected;
  const image = await prepareImage(
    deps,
    {
      manifest: parseImageManifest(manifest.bytes),
      manifestBytes: manifest,
      indexBytes: top === manifest ? undefined : top,
      openBlob: (blob, blobSignal) => repository.openBlob(blob, blobSignal),
      resumeBlob: (blob, offset, blobSignal) => repository.openBlob(blob, blobSignal, offset),
    },
    signal,
  );
  deps.failpoints.hit('image-pull:after-config');
  try {
    if (source.isPlatformChosen) checkImagePlatform(reference, image.config, platform);
  } catch (error) {
    await abandonImage(deps, image.release);
    throw error;
  }
  return { reference, selected, image };
}

function start(
  deps: ImageDeps,
  signal: AbortSignal,
  work: (run: PullRun) => Promise<void>,
): ProgressChannel {
  const left = new AbortController();
  const channel = new ProgressChannel(deps.clock.now, () => left.abort());
  work({ channel, signal: AbortSignal.any([signal, left.signal]) }).then(
    () => channel.close(),
    (error: unknown) => channel.fail(error),
  );
  return channel;
}

async function settlePull(deps: ImageDeps, pull: Pull, run: PullRun): Promise<void> {
  const { release } = pull.image;
  try {
    await runPull(deps, pull, run);
    release();
  } catch (error) {
    await abandonImage(deps, release, isPassing(error) ? layersOf(pull.image) : []);
    throw error;
  }
}

/** True when the same pull may succeed later: the client left, or the registry could not be reached. */
function isPassing(error: unknown): boolean {
  const isOfTheLine = findEngineError(error)?.details['network'] !== undefined;
  return isOfTheLine || ['cancelled', 'deadline', 'internal'].includes(kindOf(error));
}

function layersOf(image: IncomingImage): readonly Digest[] {
  return image.layers.map(({ descriptor }) => descriptor.digest);
}

async function runPull(deps: ImageDeps, pull: Pull, run: PullRun): Promise<void> {
  const { reference, selected, image } = pull;
  const { channel, signal } = run;
  const shownId = reference.digest ?? reference.tag ?? '';
  channel.send({ status: `Pulling from ${reference.path}`, id: shownId });
  const { rateLimit } = selected.manifest;
  if (rateLimit !== undefined) channel.send({ status: `Registry limit: ${rateLimit}` });
  const layers = await Promise.all(
    image.layers.map(async (layer) => ({
      layer,
      isPresent: await deps.transfers.isPresent(layer),
    })),
  );
  announceLayers(channel, layers, deps.maxDownloads);
  const before = deps.store.find(storedName(reference))?.document.id;
  const record = await materializeImage(deps, image, {
    names: namesFor(reference, selected),
    observe: pullObserver(channel),
    signal,
  });
  deps.failpoints.hit('image-pull:after-document');
  const shown = familiarReference(reference);
  const isNew = before !== record.document.id;
  const outcome = isNew ? 'Downloaded newer image' : 'Image is up to date';
  channel.send({ status: `Digest: ${selected.top.digest}` });
  channel.send({ status: `Status: ${outcome} for ${shown}` });
  publishImageEvent(deps, 'pull', { record, actorId: shown, name: familiarName(reference) });
}

function namesFor(reference: ImageReference, selected: SelectedManifest): ImageNames {
  const tags = reference.digest === undefined ? [storedName(reference)] : [];
  const digest = digestOf(selected.top.bytes);
  return { tags, repoDigests: [`${repositoryName(reference)}@${digest}`] };
}

function toReference(request: PullRequest): ImageReference {
  const { image, tag } = request;
  const hasTag = tag !== undefined && tag !== '';
  const separator = tag?.startsWith('sha256:') === true ? '@' : ':';
  const parsed = parseReference(hasTag ? `${image}${separator}${tag}` : image);
  if (!parsed.ok) throw invalidReference(parsed.problem);
  return parsed.reference;
}
