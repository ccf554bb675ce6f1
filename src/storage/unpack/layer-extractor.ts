/**
 * Makes the entries of a layer in its directory. Small files are written with synchronous calls: a promise for
 * each call would cost several times the call itself; the caller hands over at most one chunk at a time, which
 * keeps each stretch to a few milliseconds. Large files are written in the thread pool, as those writes may wait
 * for the disk.
 */
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { findEngineError, systemCode } from '../../shared/errors.ts';
import { mkfifo } from '../../sys/libc.ts';
import type { FileOwner } from '../layer-owners.ts';
import type { UnpackedLayer } from '../layer-unpacker.ts';
import type { LayerSlot } from '../snapshotter.ts';
import { cannotExtract, outsideRoot } from '../storage-errors.ts';
import type { TarEntry } from '../tar/tar-entry.ts';
import type { TarEvent } from '../tar/tar-parser.ts';
import {
  beginDirectory,
  finishDirectory,
  finishFile,
  finishLink,
  finishSpecial,
  setXattrs,
} from './entry-metadata.ts';
import { EntryOwners } from './entry-owners.ts';
import { checkLinkTarget, LayerPaths, type PlacedName, tryLstat } from './layer-paths.ts';
import { isWhiteoutName, WhiteoutWriter } from './whiteouts.ts';

/** From this size on a file is written in the thread pool. */
const LARGE_FILE_BYTES = 512 * 1024;

/** So many directories are finished without a pause: about as much work as a chunk of entries. */
const DIRECTORIES_AT_ONCE = 32;

const writeAsync = promisify(write);

interface OpenFile {
  readonly fd: number;
  readonly path: string;
  /** Name in the layer. */
  readonly name: string;
  readonly entry: TarEntry;
  /** End of what was written; less than the size when the file ends in a hole. */
  end: number;
}

export class LayerExtractor {
  readonly #paths: LayerPaths;
  readonly #whiteouts: WhiteoutWriter;
  readonly #umask = process.umask();
  /**
   * Directories whose time is set at the end, since making entries changes it, and their set-group bit, since
   * it would hand the group down to entries.
   */
  readonly #directories = new Map<string, TarEntry>();
  #unfinished: (readonly [path: string, entry: TarEntry])[] | undefined;
  #file: OpenFile | undefined;
  readonly #owners = new EntryOwners();
  readonly #replacedOwners = new Map<string, FileOwner>();
  #sizeBytes = 0;
  #entryCount = 0;
  #skippedDevices = 0;

  constructor(slot: Pick<LayerSlot, 'dir' | 'whiteouts'>) {
    this.#paths = new LayerPaths(slot.dir);
    this.#whiteouts = new WhiteoutWriter(slot.whiteouts);
  }

  /** Carries out one event. A promise means: wait for it before the next event. */
  handle(event: TarEvent): Promise<void> | undefined {
    switch (event.kind) {
      case 'entry':
        this.#entryCount++;
        this.#guard(event.entry, () => this.#make(event.entry));
        return undefined;
      case 'data':
        return this.#write(event.bytes, event.position);
      case 'end':
        this.#endFile();
        return undefined;
    }
  }

  /**
   * The archive is complete: sets the times of some directories, those made last first. True when others are left,
   * for the next call or for `finish`: a layer can have more of them than the event loop may be held up for.
   */
  finishSome(): boolean {
    this.#unfinished ??= [...this.#directories];
    for (const [path, entry] of this.#unfinished.splice(-DIRECTORIES_AT_ONCE).reverse()) {
      // A later entry may have replaced the directory.
      if (tryLstat(path)?.isDirectory() === true) finishDirectory(path, entry);
    }
    return this.#unfinished.length > 0;
  }

  /** Sets the times of all directories that are left. */
  finish(): UnpackedLayer {
    while (this.finishSome());
    return {
      sizeBytes: this.#sizeBytes,
      entryCount: this.#entryCount,
      skippedDevices: this.#skippedDevices,
      owners: this.#replacedOwners,
    };
  }

  /** Closes what is open. Idempotent. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file.fd);
    this.#file = undefined;
  }

  #make(entry: TarEntry): void {
    const placed = this.#paths.place(entry.name);
    if (placed.name === '') this.#updateRoot(placed, entry);
    else if (isWhiteoutName(placed.base)) this.#whiteouts.write(placed);
    else this.#makeNamed(placed, entry);
  }

  #makeNamed(placed: PlacedName, entry: TarEntry): void {
    switch (entry.type) {
      case 'file':
        this.#openFile(placed, entry);
        break;
      case 'directory':
        this.#makeDirectory(placed, entry);
        break;
      case 'symlink':
        this.#makeSymlink(placed, entry);
        break;
      case 'hardlink':
        this.#makeHardLink(placed, entry);
        break;
      case 'fifo':
        this.#replacing(placed, () => mkfifo(placed.path, 0o600));
        finishSpecial(placed.path, entry, this.#owners);
        this.#noteOwner(placed.name, entry);
        break;
      case 'character-device':
      case 'block-device':
        this.#skippedDevices++;
        break;
      case 'other':
        break;
    }
  }

  #updateRoot(placed: PlacedName, entry: TarEntry): void {
    if (entry.type !== 'directory') throw outsideRoot(`"${entry.name}": the root is a directory`);
    beginDirectory(placed.path, entry, this.#owners);
    this.#directories.set(placed.path, entry);
  }

  #openFile(placed: PlacedName, entry: TarEntry): void {
    let fd = -1;
    this.#replacing(placed, () => {
      fd = openSync(placed.path, 'wx', entry.mode & 0o777);
    });
    this.#file = { fd, path: placed.path, name: placed.name, entry, end: 0 };
    this.#sizeBytes += entry.size;
  }

  #write(bytes: Buffer, position: number): Promise<void> | undefined {
    const file = this.#file;
    if (file === undefined) return undefined;
    file.end = position + bytes.length;
    if (file.entry.size >= LARGE_FILE_BYTES) return writeLarge(file, bytes, position);
    this.#guard(file.entry, () => {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(file.fd, bytes, done, bytes.length - done, position + done);
      }
    });
    return undefined;
  }

  #endFile(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#guard(file.entry, () => {
      if (file.end < file.entry.size) ftruncateSync(file.fd, file.entry.size);
      finishFile(file.fd, file.entry, { umask: this.#umask, owners: this.#owners });
      this.#noteOwner(file.name, file.entry);
      if (file.entry.xattrs.size > 0) setXattrs(file.path, file.entry);
    });
    this.close();
  }

  #makeDirectory(placed: PlacedName, entry: TarEntry): void {
    this.#whiteouts.placeTaken(placed);
    try {
      mkdirSync(placed.path, 0o700);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      if (tryLstat(placed.path)?.isDirectory() !== true) {
        this.#replacing(placed, () => mkdirSync(placed.path, 0o700));
      }
    }
    this.#whiteouts.directoryMade(placed.path);
    this.#paths.remember(placed);
    beginDirectory(placed.path, entry, this.#owners);
    this.#noteOwner(placed.name, entry);
    if (entry.xattrs.size > 0) setXattrs(placed.path, entry);
    this.#directories.set(placed.path, entry);
  }

  #makeSymlink(placed: PlacedName, entry: TarEntry): void {
    checkLinkTarget(placed.name, entry.linkName);
    this.#replacing(placed, () => symlinkSync(entry.linkName, placed.path));
    finishLink(placed.path, entry, this.#owners);
    this.#noteOwner(placed.name, entry);
  }

  #makeHardLink(placed: PlacedName, entry: TarEntry): void {
    const target = this.#paths.place(entry.linkName);
    if (target.path === placed.path) return;
    this.#replacing(placed, () => linkSync(target.path, placed.path));
    const owner = this.#replacedOwners.get(target.name);
    if (owner !== undefined) this.#replacedOwners.set(placed.name, owner);
  }

  /** The last entry of a name counts. */
  #noteOwner(name: string, entry: TarEntry): void {
    const isRoot = entry.uid === 0 && entry.gid === 0;
    if (!isRoot && this.#owners.hasReplaced) {
      this.#replacedOwners.set(name, { uid: entry.uid, gid: entry.gid });
    } else this.#replacedOwners.delete(name);
  }

  /** Runs `make`; when something has the name already it is removed first: the last entry of a name counts. */
  #replacing(placed: PlacedName, make: () => void): void {
    this.#whiteouts.placeTaken(placed);
    try {
      make();
    } catch (error) {
      if (systemCode(error) !== 'EEXIST' && codeOf(error) !== 'EEXIST') throw error;
      rmSync(placed.path, { recursive: true, force: true });
      this.#paths.forget();
      make();
    }
  }

  #guard(entry: TarEntry, step: () => void): void {
    try {
      step();
    } catch (error) {
      if (findEngineError(error)?.kind === 'corrupt') throw error;
      throw systemCode(error) === undefined ? error : cannotExtract(entry.name, error);
    }
  }
}

async function writeLarge(file: OpenFile, bytes: Buffer, position: number): Promise<void> {
  try {
    for (let done = 0; done < bytes.length; ) {
      const rest = bytes.length - done;
      done += (await writeAsync(file.fd, bytes, done, rest, position + done)).bytesWritten;
    }
  } catch (error) {
    throw cannotExtract(file.entry.name, error);
  }
}

function codeOf(error: unknown): string | undefined {
  return findEngineError(error)?.details['code'];
}
