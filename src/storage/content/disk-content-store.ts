/** Blobs on disk in an OCI image layout. */
import { createReadStream } from 'node:fs';
import {
  access,
  chmod,
  constants,
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Digest, digestHex, parseDigest } from '../../oci/digest.ts';
import { systemCode } from '../../shared/errors.ts';
import { randomId } from '../../shared/ids.ts';
import { CONTENT_NAMES } from '../../sys/filenames.ts';
import { syncDir, syncFile, writeFileDurably } from '../../sys/fs/durable.ts';
import { readBootId } from '../../sys/proc/process-identity.ts';
import type { ContentStore, ExpectedBlob, IngestOptions, StagedBlob } from '../content-store.ts';
import { blobTooLarge, noSuchBlob, writeFailed } from '../storage-errors.ts';
import { digestOfStream } from './digest-of-stream.ts';
import { PartialFiles, partialDigest } from './partial-files.ts';
import { BLOB_MODE, writeBlob } from './write-blob.ts';

const LAYOUT_MARKER = '{"imageLayoutVersion":"1.0.0"}\n';

export class DiskContentStore implements ContentStore {
  readonly partials: PartialFiles;
  readonly #blobsDir: string;
  readonly #ingestDir: string;

  private constructor(contentDir: string, bootId: string) {
    this.#blobsDir = join(contentDir, CONTENT_NAMES.blobsDir);
    this.#ingestDir = join(contentDir, CONTENT_NAMES.ingestDir);
    this.partials = new PartialFiles(this.#ingestDir, bootId, (digest) => this.#pathOf(digest));
  }

  /** Opens the store, making an empty layout when there is none. */
  static async open(contentDir: string): Promise<DiskContentStore> {
    const store = new DiskContentStore(contentDir, await readBootId());
    try {
      await mkdir(store.#blobsDir, { recursive: true });
      await mkdir(store.#ingestDir, { recursive: true });
      const marker = join(contentDir, CONTENT_NAMES.layoutMarker);
      if (!(await exists(marker))) await writeFileDurably(marker, LAYOUT_MARKER, { mode: 0o644 });
    } catch (error) {
      throw writeFailed(`open ${contentDir}`, error);
    }
    return store;
  }

  async stat(digest: Digest): Promise<number | undefined> {
    try {
      return (await stat(this.#pathOf(digest))).size;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async verify(digest: Digest): Promise<'whole' | 'damaged' | 'missing'> {
    try {
      const stream = createReadStream(this.#pathOf(digest), { highWaterMark: 256 * 1024 });
      return (await digestOfStream(stream)) === digest ? 'whole' : 'damaged';
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return 'missing';
      // What the disk cannot give back is as good as wrong.
      if (systemCode(error) === 'EIO') return 'damaged';
      throw error;
    }
  }

  async read(digest: Digest, maxBytes: number): Promise<Uint8Array> {
    const size = await this.stat(digest);
    if (size === undefined) throw noSuchBlob(digest);
    if (size > maxBytes) throw blobTooLarge(digest, maxBytes);
    return await readFile(this.#pathOf(digest));
  }

  async open(digest: Digest, offset = 0): Promise<Readable> {
    if ((await this.stat(digest)) === undefined) throw noSuchBlob(digest);
    return createReadStream(this.#pathOf(digest), { start: offset, highWaterMark: 256 * 1024 });
  }

  async ingest(
    expected: ExpectedBlob,
    source: AsyncIterable<Uint8Array>,
    options: IngestOptions = {},
  ): Promise<'written' | 'already-exists'> {
    const isThere = (await this.stat(expected.digest)) !== undefined;
    if (isThere && options.replaces !== true) return 'already-exists';
    const temporary =
      options.isResumable === true
        ? this.partials.pathForDownload(expected.digest)
        : join(this.#ingestDir, randomId());
    try {
      await writeBlob(temporary, source, { expected, sync: 'now' });
      await this.#publish(temporary, expected.digest);
    } catch (error) {
      if (options.keepsBeginning?.() === true) {
        await this.partials.tryKeep(temporary, expected.digest);
      }
      await discard(temporary);
      throw error;
    }
    await this.partials.remove(expected.digest);
    return 'written';
  }

  async stage(source: AsyncIterable<Uint8Array>): Promise<StagedBlob> {
    const temporary = join(this.#ingestDir, randomId());
    try {
      const written = await writeBlob(temporary, source, { sync: 'later' });
      return {
        ...written,
        publish: () => this.#publishStaged(temporary, written.digest),
        discard: () => discard(temporary),
      };
    } catch (error) {
      await discard(temporary);
      throw error;
    }
  }

  async adopt(digest: Digest, path: string): Promise<'written' | 'already-exists'> {
    if ((await this.stat(digest)) !== undefined) return 'already-exists';
    const temporary = join(this.#ingestDir, randomId());
    try {
      await linkOrCopy(path, temporary);
      await chmod(temporary, BLOB_MODE);
      await syncFile(temporary);
      await this.#publish(temporary, digest);
      return 'written';
    } catch (error) {
      await discard(temporary);
      throw writeFailed(`write blob ${digest}`, error);
    }
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.#pathOf(digest), { force: true });
  }

  async list(): Promise<readonly Digest[]> {
    const names = await readdir(this.#blobsDir);
    return names.flatMap((name) => parseDigest(`sha256:${name}`) ?? []);
  }

  async removeStaleIngests(): Promise<number> {
    await this.partials.keepBrokenDownloads();
    const all = await readdir(this.#ingestDir);
    const names = all.filter((name) => partialDigest(name) === undefined);
    for (const name of names) await rm(join(this.#ingestDir, name), { recursive: true });
    return names.length;
  }

  async #publishStaged(temporary: string, digest: Digest): Promise<'written' | 'already-exists'> {
    if ((await this.stat(digest)) !== undefined) {
      await discard(temporary);
      return 'already-exists';
    }
    await syncFile(temporary).catch((error: unknown) => {
      throw writeFailed(`write blob ${digest}`, error);
    });
    await this.#publish(temporary, digest);
    return 'written';
  }

  async #publish(temporary: string, digest: Digest): Promise<void> {
    try {
      await rename(temporary, this.#pathOf(digest));
      await syncDir(this.#blobsDir);
    } catch (error) {
      throw writeFailed(`write blob ${digest}`, error);
    }
  }

  #pathOf(digest: Digest): string {
    return join(this.#blobsDir, digestHex(digest));
  }
}

/** What file systems without hard links, or between two of them, say to a link. */
const NO_LINK = ['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'ENOSYS'];

/** Another name for the file, or else a copy, which shares the blocks where it can. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!NO_LINK.includes(systemCode(error) ?? '')) throw error;
    await copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

async function discard(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
}
