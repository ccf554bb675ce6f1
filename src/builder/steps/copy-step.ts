/** COPY, and the part of ADD that is the same: files of a tree into the image. */
import { posix } from 'node:path';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { FileOwner } from '../../storage/layer-owners.ts';
import type { CopyOptions } from '../../storage/tree-copier.ts';
import type { BuilderDeps } from '../builder-deps.ts';
import type { NewLayer } from '../cache/layer-cache.ts';
import type { SourceTree } from '../contexts/source-tree.ts';
import { PathPatterns } from '../patterns/path-patterns.ts';
import { copyEntries, type Destination } from './copy-destination.ts';
import type { FileDigests } from './digest-selection.ts';
import { parseChmod } from './file-modes.ts';
import { makeLayer } from './make-layer.ts';
import { type Selection, selectFiles } from './select-files.ts';
import { archivesAmong, unpackArchive } from './unpack-archive.ts';

/** A copy with all words expanded. */
export interface CopyRequest {
  readonly tree: SourceTree;
  readonly sources: readonly string[];
  readonly destination: Destination;
  readonly excludes: readonly string[];
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  /** Archives among the sources are unpacked. */
  readonly unpack: boolean;
}

/** Everything about a copy but its target. */
export interface PlannedCopy {
  readonly request: CopyRequest;
  readonly selections: readonly Selection[];
  /** Stands for files and options. */
  readonly digest: Digest;
}

/** Chooses and hashes the files. `not-found` for missing ones. */
export async function planCopy(digests: FileDigests, request: CopyRequest): Promise<PlannedCopy> {
  const { tree, sources, destination, excludes, chown, chmod, unpack } = request;
  if (chmod !== undefined) parseChmod(chmod);
  const excluded = new PathPatterns(excludes);
  const selections = destination.parents
    ? (await Promise.all(sources.map((source) => selectFromPivot(tree, source, excluded)))).flat()
    : await selectFiles(tree, sources, { excluded, doubleStar: false });
  const files = await digests.ofSelections(selections, {
    keepsOwners: tree.keepsOwners && chown === undefined,
  });
  // With --parents the names above what is copied count, too.
  const names = destination.parents ? selections.map(({ source }) => source) : [];
  const key = JSON.stringify([files, destination, chown ?? '', chmod ?? '', unpack, names]);
  return { request, selections, digest: digestOf(key) };
}

/** With `--parents`, what stands before `/./` is no part of the names that are kept. */
async function selectFromPivot(
  tree: SourceTree,
  source: string,
  excluded: PathPatterns,
): Promise<readonly Selection[]> {
  const at = source.indexOf('/./');
  const selections = await selectFiles(tree, [source], { excluded, doubleStar: true });
  if (at < 0) return selections;
  const pivot = posix.join('/', source.slice(0, at)).slice(1);
  return selections.map((one) => ({ ...one, source: posix.relative(pivot, one.source) }));
}

/** Carries planned copies out on top of `parent`: one layer for all. */
export function copyStep(
  deps: BuilderDeps,
  parent: Digest | undefined,
  plans: readonly PlannedCopy[],
): Promise<NewLayer> {
  return makeLayer(deps, parent, async ({ rootfsDir }) => {
    for (const plan of plans) await carryOut(deps, rootfsDir, plan);
  });
}

async function carryOut(
  deps: BuilderDeps,
  rootfsDir: string,
  { request, selections }: PlannedCopy,
): Promise<void> {
  const { tree, chown, chmod, destination, unpack } = request;
  const owner = await ownerOf(deps, rootfsDir, { chown, keepsOwners: tree.keepsOwners });
  const options: CopyOptions = {
    owner,
    mtimeSeconds: undefined,
    ...(chmod === undefined ? {} : { modeOf: parseChmod(chmod) }),
  };
  const archives = unpack ? await archivesAmong(selections) : [];
  const files = selections.filter((selection) => !archives.includes(selection));
  const isDirectoryMade =
    destination.isDirectory || archives.length > 0 || files.some(({ isDirectory }) => isDirectory);
  if (isDirectoryMade) {
    deps.copier.makeDirectory(rootfsDir, destination.path, owner ?? { uid: 0, gid: 0 });
  }
  const entries = copyEntries(files, destination, (path) =>
    deps.copier.isDirectory(rootfsDir, path),
  );
  await deps.copier.copy(rootfsDir, entries, options);
  for (const {
    files: [archive],
  } of archives) {
    if (archive === undefined) continue;
    const to = {
      rootfsDir,
      path: destination.path,
      owner: chown === undefined ? undefined : owner,
    };
    await unpackArchive(deps, archive.path, to);
  }
}

/** Undefined: as the files have it. A user without a group has the group of the same number. */
export async function ownerOf(
  deps: Pick<BuilderDeps, 'specs'>,
  rootfsDir: string,
  { chown, keepsOwners }: { readonly chown: string | undefined; readonly keepsOwners: boolean },
): Promise<FileOwner | undefined> {
  if (chown === undefined) return keepsOwners ? undefined : { uid: 0, gid: 0 };
  const { uid, gid } = await deps.specs.resolveUser(rootfsDir, chown);
  return { uid, gid: chown.includes(':') ? gid : uid };
}

/** The destination that a word means. */
export function destinationOf(
  word: string,
  given: { readonly workingDir: string; readonly count: number; readonly parents: boolean },
): Destination {
  const isDirectory = word.endsWith('/') || word === '.' || word.endsWith('/.') || given.count > 1;
  const path = posix.resolve(given.workingDir === '' ? '/' : given.workingDir, word);
  return { path, isDirectory: isDirectory || given.parents, parents: given.parents };
}
