/** `docker load`. */
import type { ArchivedImage, OpenedArchive } from '../../distribution/image-archive.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import type { Platform } from '../../oci/platform.ts';
import { type ImageReference, parseReference, withDefaultTag } from '../../oci/reference.ts';
import type { ProgressMessage } from '../../wire/json-stream.ts';
import type { ImageDeps } from './image-deps.ts';
import { invalidReference } from './image-errors.ts';
import { publishImageEvent } from './image-events.ts';
import type { ImageRecord } from './image-store.ts';
import { loadObserver } from './layer-progress-lines.ts';
import {
  abandonImage,
  fromStore,
  type IncomingImage,
  materializeImage,
  prepareImage,
} from './materialize-image.ts';
import { checkImagePlatform, toPlatform } from './platform-choice.ts';
import { ProgressChannel } from './progress-channel.ts';
import { parseImageManifest } from './select-manifest.ts';
import { storedName } from './stored-name.ts';
import { toFamiliar } from './to-image-view.ts';

/** How an archive is to be loaded. */
export interface LoadOptions {
  readonly quiet: boolean;
  /** What the images must be for; undefined for whatever they are. */
  readonly platform: string | undefined;
  readonly signal: AbortSignal;
}

/** Loads every image of the archive; stops when the reader leaves or the signal aborts. */
export function loadImages(
  deps: ImageDeps,
  archive: AsyncIterable<Uint8Array>,
  options: LoadOptions,
): AsyncIterable<ProgressMessage> {
  const platform = toPlatform(options.platform, deps.platform);
  const left = new AbortController();
  const channel = new ProgressChannel(deps.clock.now, () => left.abort());
  const signal = AbortSignal.any([options.signal, left.signal]);
  runLoad(deps, archive, { ...options, channel, signal, host: platform }).then(
    () => channel.close(),
    (error: unknown) => channel.fail(error),
  );
  return channel;
}

interface LoadRun extends LoadOptions {
  readonly channel: ProgressChannel;
  /** What is asked for, or this machine's. */
  readonly host: Platform;
}

async function runLoad(
  deps: ImageDeps,
  archive: AsyncIterable<Uint8Array>,
  run: LoadRun,
): Promise<void> {
  await using opened = await deps.archives.open(archive, run.host, run.signal);
  for (const image of opened.images) {
    const record = await loadOne(deps, { opened, image }, run);
    announce(run.channel, image, record);
    const { id } = record.document;
    publishImageEvent(deps, 'load', { record, actorId: id, name: id });
  }
}

async function loadOne(
  deps: ImageDeps,
  source: { readonly opened: OpenedArchive; readonly image: ArchivedImage },
  run: LoadRun,
): Promise<ImageRecord> {
  const { opened, image } = source;
  const manifest = parseImageManifest(image.manifest.bytes);
  const blobs = [manifest.config, ...manifest.layers];
  const releaseBlobs = await deps.leases.hold(blobs.map(({ digest }) => digest));
  let incoming: IncomingImage | undefined;
  const release = () => {
    incoming?.release();
    releaseBlobs();
  };
  try {
    await takeBlobs(deps, opened, blobs);
    incoming = await prepareImage(
      deps,
      {
        ...{ manifest, manifestBytes: image.manifest, indexBytes: undefined },
        openBlob: fromStore(deps),
      },
      run.signal,
    );
    if (run.platform !== undefined) checkImagePlatform(nameOf(image), incoming.config, run.host);
    const record = await materializeImage(deps, incoming, {
      names: { tags: image.names.map(toStoredName), repoDigests: [] },
      observe: run.quiet ? () => undefined : loadObserver(run.channel),
      signal: run.signal,
    });
    release();
    return record;
  } catch (error) {
    await abandonImage(deps, release);
    throw error;
  }
}

/** Into the store, where nothing needs them yet: a sweep takes them unless they are protected. */
async function takeBlobs(
  deps: ImageDeps,
  opened: OpenedArchive,
  blobs: readonly Descriptor[],
): Promise<void> {
  for (const blob of blobs) {
    const isThere = (await deps.content.stat(blob.digest)) !== undefined;
    if (!isThere) await deps.content.adopt(blob.digest, opened.pathOf(blob));
  }
}

/** For messages only. */
function nameOf({ names }: ArchivedImage): ImageReference {
  const parsed = parseReference(names[0] ?? 'unnamed');
  if (!parsed.ok) throw invalidReference(parsed.problem);
  return withDefaultTag(parsed.reference);
}

function announce(channel: ProgressChannel, image: ArchivedImage, record: ImageRecord): void {
  if (image.names.length === 0) {
    channel.send({ stream: `Loaded image ID: ${record.document.id}\n` });
  }
  for (const name of image.names) {
    channel.send({ stream: `Loaded image: ${toFamiliar(toStoredName(name))}\n` });
  }
}

function toStoredName(name: string): string {
  const parsed = parseReference(name);
  if (!parsed.ok) throw invalidReference(parsed.problem);
  return storedName(withDefaultTag(parsed.reference));
}
