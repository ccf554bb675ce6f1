/** `docker rmi`: takes off names, and deletes the image with its last name. */
import type { ImageRemoval, RemoveImageOptions } from '../../api/image-backend.ts';
import type { Digest } from '../../oci/digest.ts';
import { repositoryName } from '../../oci/reference.ts';
import { collectGarbage, type Sweep } from './collect-garbage.ts';
import type { ImageDeps, ImageUser } from './image-deps.ts';
import { deleteConflict, referenceInUse, sharedImage } from './image-errors.ts';
import { publishImageEvent } from './image-events.ts';
import type { ImageRecord } from './image-store.ts';
import { findOfPlatform } from './platform-choice.ts';
import { type FoundImage, resolveImage } from './resolve-image.ts';
import { parseStoredName } from './stored-name.ts';
import { toFamiliar } from './to-image-view.ts';

/** What one removal did. */
export interface RemovedImage {
  readonly removals: readonly ImageRemoval[];
  readonly reclaimedBytes: number;
}

/**
 * `conflict` in Docker's words when a container needs the image or it has names in several repositories; `not-found`
 * when it is for another platform than one of those that are named.
 */
export async function removeImage(
  deps: ImageDeps,
  ref: string,
  options: Pick<RemoveImageOptions, 'force' | 'platforms'>,
): Promise<RemovedImage> {
  for (const platform of options.platforms ?? []) findOfPlatform(deps, ref, platform);
  const found = resolveImage(deps.store, ref);
  refuseShared(found);
  const removals =
    found.by === 'name'
      ? await untagByName(deps, found, { ...options, ref })
      : await untagAll(deps, found.record, options);
  const remaining = deps.store.get(found.record.document.id);
  if (remaining === undefined || namesOf(remaining).length > 0) {
    return { removals, reclaimedBytes: 0 };
  }
  const conflict = conflictOf(deps, remaining, options);
  // A name was taken off as asked; that something keeps the nameless image is no error then.
  if (conflict !== undefined && found.by === 'name') return { removals, reclaimedBytes: 0 };
  if (conflict !== undefined) throw conflict;
  return await deleteImage(deps, remaining, removals);
}

/** Neither an image of a shared store can go, nor a name that it has there. */
function refuseShared(found: FoundImage): void {
  const { shared } = found.record;
  if (shared === undefined) return;
  if (found.by === 'id') throw sharedImage(found.record.document.id, shared.dir);
  if (shared.names.includes(found.name)) throw sharedImage(toFamiliar(found.name), shared.dir);
}

/** Deletes an image with all its names; the caller has made sure that nobody needs it. */
export async function deleteImage(
  deps: ImageDeps,
  record: ImageRecord,
  earlier: readonly ImageRemoval[] = [],
): Promise<RemovedImage> {
  const { id } = record.document;
  const untagged = await untag(deps, record, namesOf(record));
  await deps.store.remove(id);
  publishImageEvent(deps, 'delete', { record, actorId: id, name: id });
  const sweep: Sweep = await collectGarbage(deps);
  const deleted = [id, ...sweep.layers].map((digest): ImageRemoval => ({ deleted: digest }));
  return {
    removals: [...earlier, ...untagged, ...deleted],
    reclaimedBytes: sweep.reclaimedBytes,
  };
}

async function untagByName(
  deps: ImageDeps,
  found: Extract<FoundImage, { by: 'name' }>,
  options: { readonly force: boolean; readonly ref: string },
): Promise<readonly ImageRemoval[]> {
  const { record, name } = found;
  const { id } = record.document;
  const [user] = deps.usedBy(id);
  if (user !== undefined && !options.force && hasSingleName(record)) {
    throw referenceInUse(options.ref, user, id);
  }
  const isTag = record.document.tags.includes(name);
  const alone = isTag && record.document.tags.every((tag) => tag === name || !sameRepo(tag, name));
  // The last tag of a repository takes the repository's digests along.
  const digests = alone ? record.document.repoDigests.filter((other) => sameRepo(other, name)) : [];
  return await untag(deps, record, [name, ...digests]);
}

async function untagAll(
  deps: ImageDeps,
  record: ImageRecord,
  options: { readonly force: boolean },
): Promise<readonly ImageRemoval[]> {
  const conflict = conflictOf(deps, record, options);
  if (conflict !== undefined) throw conflict;
  return await untag(deps, record, namesOf(record));
}

async function untag(
  deps: ImageDeps,
  record: ImageRecord,
  names: readonly string[],
): Promise<readonly ImageRemoval[]> {
  if (names.length === 0) return [];
  const { id } = record.document;
  await deps.store.removeNames(id, names);
  return names.map((name) => {
    const untagged = toFamiliar(name);
    publishImageEvent(deps, 'untag', { record, actorId: id, name: untagged });
    return { untagged };
  });
}

/** Why the image must stay: running containers always, the rest unless forced. */
function conflictOf(
  deps: ImageDeps,
  record: ImageRecord,
  options: { readonly force: boolean },
): Error | undefined {
  const { id } = record.document;
  const users = deps.usedBy(id);
  const running = users.find((user) => user.running);
  if (running !== undefined) return inUse(id, running);
  if (options.force) return undefined;
  if (namesOf(record).length > 0 && !hasSingleName(record)) {
    const reason = 'image is referenced in multiple repositories';
    return deleteConflict({ imageId: id, canBeForced: true, reason });
  }
  const [stopped] = users;
  return stopped === undefined ? undefined : inUse(id, stopped);
}

function inUse(imageId: Digest, user: ImageUser): Error {
  const state = user.running ? 'running' : 'stopped';
  const reason = `image is being used by ${state} container ${user.id.slice(0, 12)}`;
  return deleteConflict({ imageId, canBeForced: !user.running, reason });
}

/** At most one tag, and digests of no other repository. */
function hasSingleName(record: ImageRecord): boolean {
  const { tags } = record.document;
  const repositories = new Set(namesOf(record).map(repositoryOf));
  return tags.length <= 1 && repositories.size <= 1;
}

function namesOf(record: ImageRecord): readonly string[] {
  return [...record.document.tags, ...record.document.repoDigests];
}

function sameRepo(one: string, other: string): boolean {
  return repositoryOf(one) === repositoryOf(other);
}

function repositoryOf(name: string): string {
  return repositoryName(parseStoredName(name));
}
