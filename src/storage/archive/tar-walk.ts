/**
 * Writes files and directories as a tar stream. Directories stay open while their entries are read and links are
 * never followed, so that a running container cannot lead the walk elsewhere. Small files are read with synchronous
 * calls, at most a chunk of them in a row; large ones in the thread pool.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  read,
  readlinkSync,
  readSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { pathOfFd } from '../../sys/fs/open-in-root.ts';
import { lgetxattr } from '../../sys/libc.ts';
import { errnoCode } from '../../sys/system-errors.ts';
import { encodeTarHeader, padding, TAR_END, type WritableEntry } from '../tar/tar-writer.ts';
import { entryOf } from './entry-of.ts';

const CHUNK_BYTES = 64 * 1024;
const CAPABILITY = 'security.capability';
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** What became of a file that was there a moment ago. */
const VANISHED: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ESTALE', 'ELOOP', 'ENOTDIR']);

const readAsync = promisify(read);

interface Level {
  readonly fd: number;
  readonly prefix: string;
  readonly names: string[];
}

export class TarWalk {
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Name in the archive of the first of several hard links, by device and inode. */
  readonly #links = new Map<string, string>();

  /** One entry that is no directory, named `as`. */
  async *file(dirFd: number, name: string, as: string): AsyncGenerator<Buffer> {
    const stats = this.#stat(dirFd, name);
    if (stats !== undefined) yield* this.#entry({ dirFd, name, as }, stats);
    yield* this.#end();
  }

  /**
   * The directory `fd`, which is closed at the end, with everything below. `as` names it, without a slash at the end
   * except for the root; undefined leaves out the directory itself.
   */
  async *directory(fd: number, as: string | undefined): AsyncGenerator<Buffer> {
    const prefix = as === undefined || as === '' ? '' : as.replace(/\/*$/, '/');
    const stack: Level[] = [{ fd, prefix, names: [] }];
    try {
      if (prefix !== '') this.#put(this.#header(fstatSync(fd, { bigint: true }), prefix));
      stack[0]?.names.push(...(await namesIn(fd)));
      for (let level = stack.at(-1); level !== undefined; level = stack.at(-1)) {
        const name = level.names.pop();
        if (name === undefined) {
          closeSync(level.fd);
          stack.pop();
          continue;
        }
        yield* this.#next(stack, level, name);
      }
    } finally {
      for (const level of stack) closeSync(level.fd);
    }
    yield* this.#end();
  }

  async *#next(stack: Level[], level: Level, name: string): AsyncGenerator<Buffer> {
    const as = level.prefix + name;
    const stats = this.#stat(level.fd, name);
    if (stats === undefined) return;
    if (!stats.isDirectory()) {
      yield* this.#entry({ dirFd: level.fd, name, as }, stats);
      return;
    }
    const fd = openIfThere(pathOfFd(level.fd, name), DIRECTORY);
    if (fd === undefined) return;
    const below: Level = { fd, prefix: `${as}/`, names: [] };
    stack.push(below);
    this.#put(this.#header(fstatSync(fd, { bigint: true }), below.prefix));
    below.names.push(...(await namesIn(fd)));
    yield* this.#full();
  }

  async *#entry(
    place: { readonly dirFd: number; readonly name: string; readonly as: string },
    stats: BigIntStats,
  ): AsyncGenerator<Buffer> {
    const path = pathOfFd(place.dirFd, place.name);
    const first = this.#firstLink(stats, place.as);
    if (first !== undefined) this.#put(this.#header(stats, place.as, { hardLink: first }));
    else if (stats.isFile()) yield* this.#file(path, place.as);
    else if (stats.isSymbolicLink()) {
      this.#put(this.#header(stats, place.as, { target: readlinkSync(path) }));
    } else this.#put(this.#header(stats, place.as));
    yield* this.#full();
  }

  async *#file(path: string, as: string): AsyncGenerator<Buffer> {
    const fd = openIfThere(path, FILE);
    if (fd === undefined) return;
    try {
      const stats = fstatSync(fd, { bigint: true });
      if (!stats.isFile()) return;
      const size = Number(stats.size);
      this.#put(this.#header(stats, as, { capability: capabilityOf(path) }));
      if (size <= CHUNK_BYTES) this.#put(readWhole(fd, size));
      else yield* this.#large(fd, size);
      this.#put(padding(size));
    } finally {
      closeSync(fd);
    }
  }

  /** The size is promised by the header: a file that shrinks meanwhile is filled up with zeros. */
  async *#large(fd: number, size: number): AsyncGenerator<Buffer> {
    for (let position = 0; position < size; ) {
      const piece = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - position));
      const { bytesRead } = await readAsync(fd, piece, 0, piece.length, position);
      if (bytesRead === 0) piece.fill(0);
      const taken = bytesRead === 0 ? piece : piece.subarray(0, bytesRead);
      position += taken.length;
      this.#put(taken);
      yield* this.#full();
    }
  }

  #header(
    stats: BigIntStats,
    as: string,
    more: { hardLink?: string; target?: string; capability?: Buffer | undefined } = {},
  ): Buffer {
    const entry: WritableEntry | undefined = entryOf(stats, as);
    if (entry === undefined) return Buffer.alloc(0);
    const { hardLink, target, capability } = more;
    if (hardLink !== undefined) {
      return encodeTarHeader({ ...entry, type: 'hardlink', linkName: hardLink, size: 0 });
    }
    return encodeTarHeader({
      ...entry,
      linkName: target ?? '',
      xattrs: capability === undefined ? entry.xattrs : new Map([[CAPABILITY, capability]]),
    });
  }

  #firstLink(stats: BigIntStats, as: string): string | undefined {
    if (stats.nlink < 2n || stats.isDirectory()) return undefined;
    const key = `${stats.dev}:${stats.ino}`;
    const first = this.#links.get(key);
    if (first === undefined) this.#links.set(key, as);
    return first;
  }

  #stat(dirFd: number, name: string): BigIntStats | undefined {
    try {
      return lstatSync(pathOfFd(dirFd, name), { bigint: true });
    } catch (error) {
      if (VANISHED.has(errnoCode(error))) return undefined;
      throw error;
    }
  }

  #put(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
  }

  /** Hands out what has gathered once it is worth it, and lets the event loop have its turn. */
  async *#full(): AsyncGenerator<Buffer> {
    if (this.#bytes < CHUNK_BYTES) return;
    const chunk = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    await setImmediate();
    yield chunk;
  }

  async *#end(): AsyncGenerator<Buffer> {
    this.#put(TAR_END);
    yield Buffer.concat(this.#parts);
  }
}

/** Names in reverse order: they are taken from the end. */
async function namesIn(fd: number): Promise<string[]> {
  return (await readdir(pathOfFd(fd))).sort().reverse();
}

function openIfThere(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags);
  } catch (error) {
    if (VANISHED.has(errnoCode(error))) return undefined;
    throw error;
  }
}

function readWhole(fd: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let done = 0; done < size; ) {
    const count = readSync(fd, bytes, done, size - done, done);
    if (count === 0) break;
    done += count;
  }
  return bytes;
}

/** File capabilities, which Docker's archives carry as well; undefined where there are none. */
function capabilityOf(path: string): Buffer | undefined {
  try {
    return lgetxattr(path, CAPABILITY);
  } catch (error) {
    if (errnoCode(error) === 'ENOTSUP' || VANISHED.has(errnoCode(error))) return undefined;
    throw error;
  }
}
