/** One container's tree, mounted at a place of its own. */
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { posix } from 'node:path';
import { toContainerId } from '../../oci/kept-id.ts';
import { toIsoNano } from '../../shared/clock.ts';
import { O_PATH, openInRoot, pathOfFd } from '../../sys/fs/open-in-root.ts';
import { unmountLazily } from '../../sys/mount/mount-table.ts';
import { errnoCode, isMissing } from '../../sys/system-errors.ts';
import type {
  ArchiveNaming,
  ExtractOptions,
  FileTree,
  PathStat,
  TreeMount,
  TreeOwners,
} from '../file-trees.ts';
import { withFd } from './make-in-root.ts';
import { originalOwner } from './original-owner.ts';
import { PathExtractor } from './path-extractor.ts';
import type { OwnerOf } from './tar-entries.ts';
import { TarWalk } from './tar-walk.ts';
import { tarEvents } from './unpacked-tar.ts';

const ITSELF = O_PATH | constants.O_NOFOLLOW;
const READ_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;
/** As many links as the kernel follows (path_resolution(7)). */
const MOST_LINKS = 40;
const SECOND_NS = 1_000_000_000n;

/** A mount and where it really is, links of its destination followed. */
export interface PlacedMount {
  readonly mount: TreeMount;
  readonly path: string;
}

export class MountedTree implements FileTree {
  readonly #dir: string;
  readonly #rootFd: number;
  readonly #mounts: readonly PlacedMount[];
  readonly #owners: TreeOwners;
  #open = true;

  /** Takes over `dir`, at which the tree is mounted, and `rootFd`, its open root. */
  constructor(
    dir: string,
    rootFd: number,
    has: { readonly mounts: readonly PlacedMount[]; readonly owners: TreeOwners },
  ) {
    this.#dir = dir;
    this.#rootFd = rootFd;
    this.#mounts = has.mounts;
    this.#owners = has.owners;
  }

  async stat(path: string): Promise<PathStat> {
    return withFd(openInRoot(this.#rootFd, path, ITSELF), (fd) => {
      const stats = fstatSync(fd, { bigint: true });
      return {
        name: posix.basename(path) || '/',
        sizeBytes: Number(stats.size),
        mode: Number(stats.mode),
        modifiedAt: rfc3339(stats.mtimeNs),
        linkTarget: stats.isSymbolicLink() ? this.#endOfLink(path) : '',
      };
    });
  }

  async mountAt(path: string): Promise<TreeMount | undefined> {
    const real = this.#realPath(path);
    const around = this.#mounts.filter((placed) => isAt(real, placed.path));
    return around.toSorted((a, b) => b.path.length - a.path.length)[0]?.mount;
  }

  async isDirectory(path: string): Promise<boolean> {
    return withFd(openInRoot(this.#rootFd, path, O_PATH), (fd) => fstatSync(fd).isDirectory());
  }

  async readText(path: string): Promise<string> {
    try {
      const flags = constants.O_RDONLY | constants.O_NONBLOCK;
      return withFd(openInRoot(this.#rootFd, path, flags), (fd) =>
        fstatSync(fd).isFile() ? readFileSync(fd, 'utf8') : '',
      );
    } catch (error) {
      if (isMissing(error) || errnoCode(error) === 'ENOTDIR') return '';
      throw error;
    }
  }

  async *archive(path: string, { top }: ArchiveNaming): AsyncGenerator<Uint8Array> {
    const isDirectory = withFd(openInRoot(this.#rootFd, path, ITSELF), (fd) =>
      fstatSync(fd).isDirectory(),
    );
    if (isDirectory) {
      const fd = openInRoot(this.#rootFd, path, READ_DIRECTORY);
      const walk = new TarWalk(this.#ownersBelow(realPathOf(this.#dir, fd), top ?? ''));
      yield* walk.directory(fd, top);
      return;
    }
    const dirFd = openInRoot(this.#rootFd, posix.dirname(path), O_PATH | constants.O_DIRECTORY);
    try {
      const name = posix.basename(path);
      const real = posix.join(realPathOf(this.#dir, dirFd), name);
      const walk = new TarWalk(this.#ownersBelow(real, top ?? name));
      yield* walk.file(dirFd, name, top ?? name);
    } finally {
      closeSync(dirFd);
    }
  }

  async extract(
    path: string,
    archive: AsyncIterable<Uint8Array>,
    options: ExtractOptions,
  ): Promise<void> {
    const extractor = new PathExtractor(this.#rootFd, path, {
      ...options,
      keptIds: this.#owners.keptIds,
    });
    try {
      for await (const event of tarEvents(archive)) await extractor.handle(event);
      await extractor.finish();
    } finally {
      extractor.close();
    }
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#rootFd);
    unmountLazily(this.#dir);
    await rmdir(this.#dir);
  }

  /** Owners for an archive that calls the file at the real path `base` by the name `top`. */
  #ownersBelow(base: string, top: string): OwnerOf {
    const { keptIds, ofImage } = this.#owners;
    const original = originalOwner(ofImage);
    const inContainer = (kind: 'uid' | 'gid', id: number) =>
      keptIds === undefined ? id : toContainerId(keptIds[kind], id);
    return (as, here) => {
      const path = posix.join(base, as.slice(top.length));
      const isMounted = this.#mounts.some((placed) => isAt(path, placed.path));
      const truth = isMounted ? here : original(path.slice(1), here);
      return {
        uid: truth.uid === here.uid ? inContainer('uid', here.uid) : truth.uid,
        gid: truth.gid === here.gid ? inContainer('gid', here.gid) : truth.gid,
      };
    };
  }

  /** Where the link at `path` leads: as far as its targets exist, and by name from there. */
  #endOfLink(path: string): string {
    let end = path;
    try {
      for (let links = 0; links < MOST_LINKS; links++) {
        const target = this.#readLink(end);
        if (target === undefined) return this.#realPath(end);
        end = posix.join('/', target.startsWith('/') ? target : `${posix.dirname(end)}/${target}`);
      }
      return end;
    } catch (error) {
      if (isMissing(error) || ['ENOTDIR', 'ELOOP'].includes(errnoCode(error) ?? '')) return end;
      throw error;
    }
  }

  #readLink(path: string): string | undefined {
    return withFd(openInRoot(this.#rootFd, posix.dirname(path), O_PATH), (dir) => {
      const link = pathOfFd(dir, posix.basename(path));
      return withFd(openSync(link, ITSELF), (fd) =>
        fstatSync(fd).isSymbolicLink() ? readlinkSync(link) : undefined,
      );
    });
  }

  /** The path without links, as the container would see it. */
  #realPath(path: string): string {
    return withFd(openInRoot(this.#rootFd, path, O_PATH), (fd) => realPathOf(this.#dir, fd));
  }
}

/** Where the open file lies in the tree that is mounted at `dir`. */
export function realPathOf(dir: string, fd: number): string {
  return readlinkSync(pathOfFd(fd)).slice(dir.length) || '/';
}

function isAt(path: string, mountPath: string): boolean {
  return path === mountPath || path.startsWith(`${mountPath}/`);
}

function rfc3339(epochNs: bigint): string {
  const nanoseconds = ((epochNs % SECOND_NS) + SECOND_NS) % SECOND_NS;
  const whole = toIsoNano(Number((epochNs - nanoseconds) / SECOND_NS) * 1000);
  return `${whole.slice(0, -'000000000Z'.length)}${String(nanoseconds).padStart(9, '0')}Z`;
}
