/** `docker pull`. */
import type { PullRequest } from '../../api/backends.ts';
import { digestOf } from '../../oci/digest.ts';
import { type Platform, parsePlatform, runnablePlatforms } from '../../oci/platform.ts';
import {
  familiarName,
  familiarReference,
  type ImageReference,
  parseReference,
  repositoryName,
  withDefaultTag,
} from '../../oci/reference.ts';
import type { ProgressMessage } from '../../wire/json-stream.ts';
import type { ImageDeps } from './image-deps.ts';
import { invalidPlatform, invalidReference, wrongPlatform } from './image-errors.ts';
import { publishImageEvent } from './image-events.ts';
import { announceLayers, pullObserver } from './layer-progress-lines.ts';
import {
  abandonImage,
  type ImageNames,
  type IncomingImage,
  materializeImage,
  prepareImage,
} from './materialize-image.ts';
import { ProgressChannel } from './progress-channel.ts';
import { storedName } from './resolve-image.ts';
import { parseImageManifest, type SelectedManifest, selectManifest } from './select-manifest.ts';

/**
 * Rejects while nothing was said yet: for what does not exist, may not be read or is no image. The pull itself
 * then runs while the lines are read, and stops when the reader leaves or the signal aborts.
 */
export async function pullImage(
  deps: ImageDeps,
  request: PullRequest,
  signal: AbortSignal,
): Promise<AsyncIterable<ProgressMessage>> {
  const reference = toReference(request);
  const platform = toPlatform(request.platform, deps.platform);
  const repository = deps.registry.repository(reference, request.credentials);
  const selected = await selectManifest(repository, { reference, platform }, signal);
  const { top, manifest } = selected;
  const image = await prepareImage(
    deps,
    {
      manifest: parseImageManifest(manifest.bytes),
      manifestBytes: manifest,
      indexBytes: top === manifest ? undefined : top,
      openBlob: (blob, blobSignal) => repository.openBlob(blob, blobSignal),
    },
    signal,
  );
  try {
    if (request.platform !== undefined) checkPlatform(reference, image, platform);
  } catch (error) {
    await abandonImage(deps, image.release);
    throw error;
  }
  return startPull(deps, { reference, selected, image }, signal);
}

interface Pull {
  readonly reference: ImageReference;
  readonly selected: SelectedManifest;
  readonly image: IncomingImage;
}

function startPull(deps: ImageDeps, pull: Pull, signal: AbortSignal): ProgressChannel {
  const left = new AbortController();
  const channel = new ProgressChannel(deps.clock.now, () => left.abort());
  settlePull(deps, pull, { channel, signal: AbortSignal.any([signal, left.signal]) }).catch(
    (error: unknown) => channel.fail(error),
  );
  return channel;
}

interface PullRun {
  readonly channel: ProgressChannel;
  readonly signal: AbortSignal;
}

async function settlePull(deps: ImageDeps, pull: Pull, run: PullRun): Promise<void> {
  const { release } = pull.image;
  try {
    await runPull(deps, pull, run);
    release();
    run.channel.close();
  } catch (error) {
    await abandonImage(deps, release);
    throw error;
  }
}

async function runPull(deps: ImageDeps, pull: Pull, run: PullRun): Promise<void> {
  const { reference, selected, image } = pull;
  const { channel, signal } = run;
  const shownId = reference.digest ?? reference.tag ?? '';
  channel.send({ status: `Pulling from ${reference.path}`, id: shownId });
  const layers = await Promise.all(
    image.layers.map(async (layer) => ({
      layer,
      isPresent: await deps.transfers.isPresent(layer),
    })),
  );
  announceLayers(channel, layers);
  const before = deps.store.find(storedName(reference))?.document.id;
  const record = await materializeImage(deps, image, {
    names: namesFor(reference, selected),
    observe: pullObserver(channel),
    signal,
  });
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
  return withDefaultTag(parsed.reference);
}

function toPlatform(text: string | undefined, host: Platform): Platform {
  if (text === undefined || text === '') return host;
  const platform = parsePlatform(text, host);
  if (platform === undefined) throw invalidPlatform(text);
  return platform;
}

/** An image without an index has one platform, which must be the one asked for. */
function checkPlatform(reference: ImageReference, image: IncomingImage, wanted: Platform): void {
  const { os, architecture, variant } = image.config;
  const found: Platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const fits = runnablePlatforms(wanted).some(
    (platform) =>
      platform.os === os &&
      platform.architecture === architecture &&
      (variant === undefined || platform.variant === undefined || platform.variant === variant),
  );
  if (!fits) throw wrongPlatform(reference, found, wanted);
}
