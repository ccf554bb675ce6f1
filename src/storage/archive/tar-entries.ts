/**
 * Puts files into a tar stream. Small files are read with synchronous calls, at most a chunk of them in a row; large
 * ones in the thread pool. A file is named by an open directory, and links are never followed, so that a running
 * container cannot lead the reader elsewhere.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  openSync,
  read,
  readlinkSync,
  readSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { Pace } from '../../shared/pace.ts';
import { pathOfFd } from '../../sys/fs/open-in-root.ts';
import { errnoCode } from '../../sys/system-errors.ts';
import type { FileOwner } from '../layer-owners.ts';
import { encodeTarHeader, padding, TAR_END } from '../tar/tar-writer.ts';
import { entryOf } from './entry-of.ts';
import { statIfThere, VANISHED } from './stat-if-there.ts';

const CHUNK_BYTES = 64 * 1024;
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const readAsync = promisify(read);

/** A file by the open directory that it is in, and what it is called in the archive. */
export interface NamedFile {
  readonly dirFd: number;
  readonly name: string;
  readonly as: string;
}

/** Which extended attributes of the file at `path` go into the archive. */
export type ReadXattrs = (path: string) => ReadonlyMap<string, Buffer>;

/** Who a file of the archive belongs to, where that is not who it belongs to here. */
export type OwnerOf = (as: string, here: FileOwner) => FileOwner;

export class TarEntries {
  readonly #readXattrs: ReadXattrs;
  readonly #ownerOf: OwnerOf;
  readonly #pace = new Pace();
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Name in the archive of the first of several hard links, by device and inode. */
  readonly #links = new Map<string, string>();

  constructor(readXattrs: ReadXattrs, ownerOf: OwnerOf = (_, here) => here) {
    this.#readXattrs = readXattrs;
    this.#ownerOf = ownerOf;
  }

  /** Adds a directory, by its descriptor; `as` ends in a slash. */
  directory(fd: number, as: string): void {
    const stats = fstatSync(fd, { bigint: true });
    this.#put(this.#header(stats, as, { xattrs: this.#readXattrs(pathOfFd(fd, '.')) }));
  }

  /** Adds what is no directory. What vanishes meanwhile is left out, and so are sockets. */
  async *file(file: NamedFile): AsyncGenerator<Buffer> {
    const stats = statIfThere(file.dirFd, file.name);
    if (stats === undefined) return;
    const path = pathOfFd(file.dirFd, file.name);
    const first = this.#firstLink(stats, file.as);
    if (first !== undefined) this.#put(this.#header(stats, file.as, { hardLink: first }));
    else if (stats.isFile()) yield* this.#contents(path, file.as);
    else if (stats.isSymbolicLink()) {
      this.#put(this.#header(stats, file.as, { target: readlinkSync(path) }));
    } else this.#put(this.#header(stats, file.as));
    yield* this.full();
  }

  /** Adds a ready-made part: header blocks without data. */
  block(bytes: Buffer): void {
    this.#put(bytes);
  }

  /** Hands out what has gathered once it is worth it, and lets the event loop have its turn. */
  async *full(): AsyncGenerator<Buffer> {
    await this.#pace.step();
    if (this.#bytes < CHUNK_BYTES) return;
    const chunk = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    yield chunk;
  }

  /** The rest, with the end of the archive. */
  async *end(): AsyncGenerator<Buffer> {
    this.#put(TAR_END);
    yield Buffer.concat(this.#parts);
  }

  async *#contents(path: string, as: string): AsyncGenerator<Buffer> {
    const fd = openIfThere(path, FILE);
    if (fd === undefined) return;
    try {
      const stats = fstatSync(fd, { bigint: true });
      if (!stats.isFile()) return;
      const size = Number(stats.size);
      this.#put(this.#header(stats, as, { xattrs: this.#readXattrs(path) }));
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
      yield* this.full();
    }
  }

  #header(
    stats: BigIntStats,
    as: string,
    more: { hardLink?: string; target?: string; xattrs?: ReadonlyMap<string, Buffer> } = {},
  ): Buffer {
    const found = entryOf(stats, as);
    if (found === undefined) return Buffer.alloc(0);
    const entry = { ...found, ...this.#ownerOf(as, found) };
    const { hardLink, target, xattrs } = more;
    if (hardLink !== undefined) {
      return encodeTarHeader({ ...entry, type: 'hardlink', linkName: hardLink, size: 0 });
    }
    return encodeTarHeader({ ...entry, linkName: target ?? '', xattrs: xattrs ?? entry.xattrs });
  }

  #firstLink(stats: BigIntStats, as: string): string | undefined {
    if (stats.nlink < 2n) return undefined;
    const key = `${stats.dev}:${stats.ino}`;
    const first = this.#links.get(key);
    if (first === undefined) this.#links.set(key, as);
    return first;
  }

  #put(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
  }
}

/** Opens what was there a moment ago; undefined when it is gone, or something else by now. */
export function openIfThere(path: string, flags: number): number | undefined {
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
