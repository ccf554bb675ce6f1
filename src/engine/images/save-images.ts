/** `docker save`. */
import type { SaveRequest } from '../../api/image-backend.ts';
import type { SavedImage } from '../../distribution/image-archive.ts';
import type { Digest } from '../../oci/digest.ts';
import { type ImageReference, parseReference, repositoryName } from '../../oci/reference.ts';
import { releaseAfter } from '../release-after.ts';
import { digestsOf } from './collect-garbage.ts';
import type { ImageDeps } from './image-deps.ts';
import { publishImageEvent } from './image-events.ts';
import type { ImageRecord } from './image-store.ts';
import { fromStore } from './materialize-image.ts';
import { checkImagePlatform, toPlatform } from './platform-choice.ts';
import { resolveImage } from './resolve-image.ts';
import { parseStoredName } from './stored-name.ts';

/** An image with the names that were asked for. */
interface Chosen {
  readonly record: ImageRecord;
  readonly names: Set<string>;
}

/**
 * A tar stream of the images. `not-found` for one that is not there or not for the platform. Nothing of them is swept
 * away until the stream has ended, was left, or `signal` aborts.
 */
export async function saveImages(
  deps: ImageDeps,
  request: SaveRequest,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const chosen = chooseImages(deps, request);
  const release = await deps.leases.hold(chosen.flatMap(({ record }) => digestsOf(record)));
  for (const { record } of chosen) {
    const { id } = record.document;
    publishImageEvent(deps, 'save', { record, actorId: id, name: id });
  }
  const open = fromStore(deps);
  const tar = deps.archiveWriter.write(chosen.map(toSaved), (blob) => open(blob, signal));
  return releaseAfter(tar, async () => release(), signal);
}

function chooseImages(deps: ImageDeps, request: SaveRequest): readonly Chosen[] {
  const chosen = new Map<Digest, Chosen>();
  const add = (record: ImageRecord, names: readonly string[]) => {
    const { id } = record.document;
    const entry = chosen.get(id) ?? { record, names: new Set() };
    for (const name of names) entry.names.add(name);
    chosen.set(id, entry);
  };
  for (const [record, names] of request.names.flatMap((ref) => meantBy(deps, ref))) {
    add(record, names);
  }
  const images = [...chosen.values()];
  if (request.platform !== undefined) {
    for (const image of images) checkPlatform(deps, image, request);
  }
  return images;
}

type Meant = readonly [record: ImageRecord, names: readonly string[]];

/** A repository without a tag means all of its tags. */
function meantBy(deps: ImageDeps, ref: string): readonly Meant[] {
  const parsed = parseReference(ref);
  const all = parsed.ok ? taggedIn(deps, parsed.reference) : [];
  if (all.length > 0) return all;
  const found = resolveImage(deps.store, ref);
  const isTag = found.by === 'name' && found.record.document.tags.includes(found.name);
  return [[found.record, isTag ? [found.name] : []]];
}

function taggedIn(deps: ImageDeps, reference: ImageReference): readonly Meant[] {
  if (reference.tag !== undefined || reference.digest !== undefined) return [];
  const repository = repositoryName(reference);
  const isIn = (name: string) => repositoryName(parseStoredName(name)) === repository;
  return deps.store
    .list()
    .map((record) => [record, record.document.tags.filter(isIn)] as const)
    .filter(([, names]) => names.length > 0);
}

function checkPlatform(deps: ImageDeps, { record, names }: Chosen, request: SaveRequest): void {
  const [name = request.names[0] ?? record.document.id] = names;
  const parsed = parseReference(name);
  const reference = parsed.ok ? parsed.reference : parseStoredName(`unnamed@${record.document.id}`);
  checkImagePlatform(reference, record.config, toPlatform(request.platform, deps.platform));
}

function toSaved({ record, names }: Chosen): SavedImage {
  const { manifest, document } = record;
  return { names: [...names].toSorted(), descriptor: document.manifest, manifest };
}
