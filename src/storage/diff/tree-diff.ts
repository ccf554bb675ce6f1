/** A snapshot's changes as a list and as a layer. */
import { closeSync, constants, openSync } from 'node:fs';
import { posix } from 'node:path';
import { pathOfFd } from '../../sys/fs/open-in-root.ts';
import { originalOwner } from '../archive/original-owner.ts';
import { statIfThere } from '../archive/stat-if-there.ts';
import { TarEntries } from '../archive/tar-entries.ts';
import type { LayerOwners } from '../layer-owners.ts';
import type { PathChange, SnapshotDiff } from '../snapshot-diff.ts';
import { encodeTarHeader } from '../tar/tar-writer.ts';
import { layerXattrs } from '../unpack/allowed-xattrs.ts';
import { WHITEOUT_PREFIX } from '../unpack/whiteouts.ts';
import { ChangeWalk, type ComparedTree, type FoundChange } from './change-walk.ts';
import { LeftOutPaths } from './left-out-paths.ts';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

export class TreeDiff implements SnapshotDiff {
  readonly #tree: ComparedTree;
  readonly #leftOut: LeftOutPaths;
  readonly #ownersBelow: () => Promise<LayerOwners>;

  /**
   * `leftOut`: absolute paths that do not count, with all that is below. `ownersBelow`: whom files of the layers
   * below should belong to and cannot.
   */
  constructor(
    tree: ComparedTree,
    leftOut: readonly string[],
    ownersBelow: () => Promise<LayerOwners>,
  ) {
    this.#tree = tree;
    this.#ownersBelow = ownersBelow;
    this.#leftOut = new LeftOutPaths(leftOut);
  }

  async *changes(): AsyncGenerator<PathChange> {
    for await (const { kind, path } of this.#walk()) yield { kind, path };
  }

  async *layerTar(): AsyncGenerator<Uint8Array> {
    const entries = new TarEntries(layerXattrs, originalOwner(await this.#ownersBelow()));
    for await (const change of this.#walk()) {
      if (change.kind === 'deleted') entries.block(whiteout(change.path));
      else if (change.isDirectory) addDirectory(entries, change);
      else yield* entries.file({ ...change.place, as: change.path.slice(1) });
      yield* entries.full();
    }
    yield* entries.end();
  }

  /** Sum of the sizes of files that are new or changed, hard links counted once. */
  async sizeBytes(): Promise<number> {
    const seen = new Set<bigint>();
    let total = 0;
    for await (const { kind, place } of this.#walk()) {
      const stats = kind === 'deleted' ? undefined : statIfThere(place.dirFd, place.name);
      if (stats?.isFile() !== true || seen.has(stats.ino)) continue;
      seen.add(stats.ino);
      total += Number(stats.size);
    }
    return total;
  }

  #walk(): AsyncGenerator<FoundChange> {
    return new ChangeWalk(this.#tree, this.#leftOut).changes();
  }
}

function addDirectory(entries: TarEntries, { place, path }: FoundChange): void {
  const fd = openSync(pathOfFd(place.dirFd, place.name), DIRECTORY);
  try {
    entries.directory(fd, `${path.slice(1)}/`);
  } finally {
    closeSync(fd);
  }
}

/** The entry that says that a path of the layers below is gone (OCI image-spec, layer.md, "Whiteouts"). */
function whiteout(path: string): Buffer {
  const name = posix.join(posix.dirname(path), WHITEOUT_PREFIX + posix.basename(path)).slice(1);
  return encodeTarHeader({
    type: 'file',
    name,
    linkName: '',
    mode: 0o600,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeSeconds: 0,
    device: { major: 0, minor: 0 },
    xattrs: new Map(),
  });
}
