/** `docker load`. */
import type { ArchivedImage, OpenedArchive } from '../../distribution/image-archive.ts';
import { parseReference, withDefaultTag } from '../../oci/reference.ts';
import type { ProgressMessage } from '../../wire/json-stream.ts';
import type { ImageDeps } from './image-deps.ts';
import { invalidReference } from './image-errors.ts';
import { publishImageEvent } from './image-events.ts';
import type { ImageRecord } from './image-store.ts';
import { loadObserver } from './layer-progress-lines.ts';
import { abandonImage, materializeImage, prepareImage } from './materialize-image.ts';
import { ProgressChannel } from './progress-channel.ts';
import { storedName } from './resolve-image.ts';
import { parseImageManifest } from './select-manifest.ts';
import { toFamiliar } from './to-image-view.ts';

/** Loads every image of the archive; stops when the reader leaves or the signal aborts. */
export function loadImages(
  deps: ImageDeps,
  archive: AsyncIterable<Uint8Array>,
  options: { readonly quiet: boolean; readonly signal: AbortSignal },
): AsyncIterable<ProgressMessage> {
  const left = new AbortController();
  const channel = new ProgressChannel(deps.clock.now, () => left.abort());
  const signal = AbortSignal.any([options.signal, left.signal]);
  runLoad(deps, archive, { channel, signal, quiet: options.quiet }).then(
    () => channel.close(),
    (error: unknown) => channel.fail(error),
  );
  return channel;
}

interface LoadRun {
  readonly channel: ProgressChannel;
  readonly signal: AbortSignal;
  readonly quiet: boolean;
}

async function runLoad(
  deps: ImageDeps,
  archive: AsyncIterable<Uint8Array>,
  run: LoadRun,
): Promise<void> {
  await using opened = await deps.archives.open(archive, run.signal);
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
  const tags = image.names.map(toStoredName);
  const incoming = await prepareImage(
    deps,
    {
      manifest: parseImageManifest(image.manifest.bytes),
      manifestBytes: image.manifest,
      indexBytes: undefined,
      openBlob: (blob) => opened.openBlob(blob),
    },
    run.signal,
  );
  try {
    const record = await materializeImage(deps, incoming, {
      names: { tags, repoDigests: [] },
      observe: run.quiet ? () => undefined : loadObserver(run.channel),
      signal: run.signal,
    });
    incoming.release();
    return record;
  } catch (error) {
    await abandonImage(deps, incoming.release);
    throw error;
  }
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
