/**
 * Makes the entries of an archive below a directory of a container's tree. The container may run and change things
 * meanwhile: each entry's directory is opened inside of the tree's root, and the entry is made in that open directory.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  write,
} from 'node:fs';
import { posix } from 'node:path';
import { promisify } from 'node:util';
import { type KeptId, toEngineId } from '../../oci/kept-id.ts';
import { Pace } from '../../shared/pace.ts';
import { O_PATH, openInRoot, pathOfFd } from '../../sys/fs/open-in-root.ts';
import { mkfifo } from '../../sys/libc.ts';
import { isMissing } from '../../sys/system-errors.ts';
import type { ExtractOptions } from '../file-trees.ts';
import type { TarEntry } from '../tar/tar-entry.ts';
import type { TarEvent } from '../tar/tar-parser.ts';
import { setXattrs } from '../unpack/entry-metadata.ts';
import {
  cannotWrite,
  directoryInTheWay,
  entryOutside,
  fileInTheWay,
  invalidHardLink,
} from './archive-errors.ts';
import { openDirectory, removeIn, statIn, withFd } from './make-in-root.ts';

const ITSELF = O_PATH | constants.O_NOFOLLOW;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

const writeAsync = promisify(write);

/** Where an entry goes: an open directory and the name in it. */
interface Place {
  readonly dirFd: number;
  readonly base: string;
  /** Absolute path in the container. */
  readonly path: string;
}

/** A container's own user namespace, where it has one. */
interface OwnNamespace {
  readonly keptIds: KeptId | undefined;
}

export class PathExtractor {
  readonly #rootFd: number;
  readonly #target: string;
  readonly #options: ExtractOptions & OwnNamespace;
  #dir: { readonly path: string; readonly fd: number } | undefined;
  #file: { readonly fd: number; readonly place: Place; readonly entry: TarEntry } | undefined;
  /** Directories get their times at the end: making entries changes them. */
  readonly #directories = new Map<string, TarEntry>();

  /** `target` is an absolute path in the tree `rootFd`, which stays the caller's. */
  constructor(rootFd: number, target: string, options: ExtractOptions & OwnNamespace) {
    this.#rootFd = rootFd;
    this.#target = posix.join('/', target);
    this.#options = options;
  }

  /** Carries out one event of the archive. */
  async handle(event: TarEvent): Promise<void> {
    try {
      if (event.kind === 'entry') await this.#make(event.entry);
      else if (event.kind === 'data') await this.#write(event.bytes, event.position);
      else this.#endFile();
    } catch (error) {
      throw cannotWrite(this.#file?.place.path ?? this.#target, error);
    }
  }

  /** The archive is complete. */
  async finish(): Promise<void> {
    const pace = new Pace();
    for (const [path, entry] of this.#directories) {
      this.#setTimes(path, entry.mtimeSeconds);
      await pace.step();
    }
  }

  /** Closes what is open. Idempotent. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file.fd);
    this.#file = undefined;
    this.#forgetDirectory();
  }

  async #make(entry: TarEntry): Promise<void> {
    const path = posix.join(this.#target, entry.name).replace(/(?<=.)\/$/, '');
    if (!isWithin(path, this.#target)) throw entryOutside(entry.name, this.#target);
    if (path === this.#target.replace(/(?<=.)\/$/, '')) return;
    const dirFd = this.#openDirectory(posix.dirname(path));
    const place = { dirFd, base: posix.basename(path), path };
    try {
      await this.#makeAt(place, entry);
    } catch (error) {
      throw cannotWrite(path, error);
    }
  }

  async #makeAt(place: Place, entry: TarEntry): Promise<void> {
    const { type } = entry;
    if (type === 'other' || type === 'character-device' || type === 'block-device') return;
    const isMerged = await this.#clear(place, entry);
    const path = pathOfFd(place.dirFd, place.base);
    if (type === 'directory') {
      if (!isMerged) mkdirSync(path, 0o700);
      this.#finishNamed(path, entry);
      this.#directories.set(place.path, entry);
    } else if (type === 'file') {
      this.#file = { fd: openSync(path, NEW_FILE, 0o600), place, entry };
    } else if (type === 'symlink') {
      symlinkSync(entry.linkName, path);
      const { uid, gid } = this.#ownerOf(entry);
      lchownSync(path, uid, gid);
      lutimesSync(path, entry.mtimeSeconds, entry.mtimeSeconds);
    } else if (type === 'hardlink') this.#link(path, entry);
    else {
      mkfifo(path, 0o600);
      this.#finishNamed(path, entry);
    }
  }

  /** Takes away what has the name; true when it is a directory that the entry is merged with. */
  async #clear(place: Place, entry: TarEntry): Promise<boolean> {
    const present = statIn(place.dirFd, place.base);
    if (present === undefined) return false;
    const was = present.isDirectory();
    const becomes = entry.type === 'directory';
    if (was && becomes) return true;
    if (this.#options.keepKinds && was) throw directoryInTheWay(place.path, this.#target);
    if (this.#options.keepKinds && becomes) throw fileInTheWay(place.path, this.#target);
    await removeIn(place.dirFd, place.base);
    return false;
  }

  #link(path: string, entry: TarEntry): void {
    const target = posix.join(this.#target, entry.linkName);
    if (!isWithin(target, this.#target)) throw invalidHardLink(entry.name, entry.linkName);
    withFd(openInRoot(this.#rootFd, posix.dirname(target), O_PATH), (fd) => {
      linkSync(pathOfFd(fd, posix.basename(target)), path);
    });
  }

  async #write(bytes: Buffer, position: number): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    for (let done = 0; done < bytes.length; ) {
      const rest = bytes.length - done;
      done += (await writeAsync(file.fd, bytes, done, rest, position + done)).bytesWritten;
    }
  }

  #endFile(): void {
    const file = this.#file;
    if (file === undefined) return;
    const { fd, place, entry } = file;
    const { uid, gid } = this.#ownerOf(entry);
    // A change of owner clears the special bits and the capabilities: it comes first.
    fchownSync(fd, uid, gid);
    fchmodSync(fd, entry.mode);
    if (entry.xattrs.size > 0) setXattrs(pathOfFd(place.dirFd, place.base), entry);
    futimesSync(fd, entry.mtimeSeconds, entry.mtimeSeconds);
    closeSync(fd);
    this.#file = undefined;
  }

  /** Owner, mode and time of a directory or fifo, by a descriptor: its name may lead elsewhere by now. */
  #finishNamed(path: string, entry: TarEntry): void {
    const { uid, gid } = this.#ownerOf(entry);
    withFd(openSync(path, ITSELF), (fd) => {
      chownSync(pathOfFd(fd), uid, gid);
      chmodSync(pathOfFd(fd), entry.mode);
      utimesSync(pathOfFd(fd), entry.mtimeSeconds, entry.mtimeSeconds);
    });
    if (entry.xattrs.size > 0) setXattrs(path, entry);
  }

  #setTimes(path: string, seconds: number): void {
    try {
      withFd(openInRoot(this.#rootFd, path, ITSELF | constants.O_DIRECTORY), (fd) =>
        utimesSync(pathOfFd(fd), seconds, seconds),
      );
    } catch (error) {
      if (!isMissing(error)) throw cannotWrite(path, error);
    }
  }

  #ownerOf(entry: TarEntry): { readonly uid: number; readonly gid: number } {
    const { owner = entry, keptIds } = this.#options;
    if (keptIds === undefined) return owner;
    return { uid: toEngineId(keptIds.uid, owner.uid), gid: toEngineId(keptIds.gid, owner.gid) };
  }

  #openDirectory(path: string): number {
    if (this.#dir?.path !== path) {
      this.#forgetDirectory();
      this.#dir = { path, fd: openDirectory(this.#rootFd, path) };
    }
    return this.#dir.fd;
  }

  #forgetDirectory(): void {
    if (this.#dir !== undefined) closeSync(this.#dir.fd);
    this.#dir = undefined;
  }
}

function isWithin(path: string, dir: string): boolean {
  return dir === '/' || path === dir || path.startsWith(dir.endsWith('/') ? dir : `${dir}/`);
}
