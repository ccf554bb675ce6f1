/** The members of an archive on disk while it is loaded: its table of contents may come last. */
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import { extract, type Header } from 'tar-stream';
import { type Digest, DigestCounter } from '../../oci/digest.ts';
import { EngineError, findEngineError, kindOf, messageOf } from '../../shared/errors.ts';
import { randomId } from '../../shared/ids.ts';
import { type Compression, compressionOf, decompressed } from '../../sys/compression/decompress.ts';
import { SpaceGuard } from '../../sys/fs/space-guard.ts';
import { archiveFillsDisk, invalidArchive, loadCancelled, spoolFailed } from './archive-errors.ts';

/** A regular file of the archive. */
export interface SpooledFile {
  readonly path: string;
  readonly size: number;
  readonly digest: Digest;
  readonly compression: Compression | undefined;
}

const MAX_MEMBERS = 100_000;
const MAX_LINKS = 8;

export class ArchiveSpool implements AsyncDisposable {
  readonly #dir: string;
  readonly #files = new Map<string, SpooledFile>();
  readonly #links = new Map<string, string>();
  readonly #space: SpaceGuard;

  private constructor(dir: string) {
    this.#dir = dir;
    this.#space = new SpaceGuard(dir, archiveFillsDisk);
  }

  /** Reads the whole archive into a new directory below `parentDir`. */
  static async fill(
    parentDir: string,
    source: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<ArchiveSpool> {
    const spool = new ArchiveSpool(join(parentDir, `load-${randomId()}`));
    try {
      await mkdir(spool.#dir, { recursive: true, mode: 0o700 });
      const plain = Readable.from(decompressed(source), { objectMode: false });
      addAbortSignal(signal, plain);
      await spool.#readAll(plain);
      return spool;
    } catch (error) {
      await spool[Symbol.asyncDispose]();
      if (signal.aborted) throw loadCancelled(error);
      if (kindOf(error) === 'corrupt') throw invalidArchive(messageOf(error), error);
      if (error instanceof EngineError) throw error;
      throw invalidArchive('invalid tar header', error);
    }
  }

  /** Frees the disk space. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true }).catch(() => undefined);
  }

  /** The file of that name, links followed. */
  find(name: string): SpooledFile | undefined {
    let current = posix.normalize(name);
    for (let hops = 0; hops < MAX_LINKS; hops++) {
      const target = this.#links.get(current);
      if (target === undefined) return this.#files.get(current);
      current = target;
    }
    return undefined;
  }

  /** Any file with these contents. */
  findDigest(digest: Digest): SpooledFile | undefined {
    for (const file of this.#files.values()) if (file.digest === digest) return file;
    return undefined;
  }

  /** Contents of a small file. `invalid-argument` when it is missing or larger than `maxBytes`. */
  async read(name: string, maxBytes: number): Promise<Buffer> {
    const file = this.find(name);
    if (file === undefined) throw invalidArchive(`does not contain ${name}`);
    if (file.size > maxBytes) throw invalidArchive(`${name} is larger than ${maxBytes} bytes`);
    return await readFile(file.path);
  }

  async #readAll(plain: Readable): Promise<void> {
    const parser = extract();
    plain.once('error', (error) => parser.destroy(error));
    plain.pipe(parser);
    for await (const entry of parser) {
      if (this.#files.size + this.#links.size >= MAX_MEMBERS) {
        throw invalidArchive('too many entries');
      }
      await this.#readMember(entry.header, entry);
    }
  }

  async #readMember(header: Header, body: AsyncIterable<unknown>): Promise<void> {
    const name = posix.normalize(header.name.replace(/^\/+/, ''));
    const target = header.linkname;
    if (header.type === 'symlink') this.#links.set(name, posix.join(posix.dirname(name), target));
    if (header.type === 'link') this.#links.set(name, posix.normalize(target));
    if (header.type === 'file' || header.type === 'contiguous-file') {
      this.#files.set(name, await this.#writeFile(body));
      return;
    }
    for await (const ignored of body) void ignored;
  }

  async #writeFile(body: AsyncIterable<unknown>): Promise<SpooledFile> {
    // The archive's own names never reach the file system.
    const path = join(this.#dir, String(this.#files.size + this.#links.size));
    const counter = new DigestCounter();
    let compression: Compression | undefined;
    const handle = await open(path, 'w', 0o600).catch(rethrowSpool);
    try {
      for await (const piece of body) {
        const chunk = piece as Uint8Array;
        if (counter.sizeBytes === 0) compression = compressionOf(chunk);
        counter.update(chunk);
        await handle.writeFile(chunk).catch(rethrowSpool);
        await this.#space.wrote(chunk.length);
      }
    } finally {
      await handle.close();
    }
    return { path, size: counter.sizeBytes, digest: counter.digest(), compression };
  }
}

function rethrowSpool(error: unknown): never {
  throw findEngineError(error) ?? spoolFailed(error);
}
