/**
 * Beginnings of blobs as files in the ingest directory: `partial-<hex>`; the time of the file is that of the last use.
 * What is still being downloaded is called `download-<hex>-<boot>-<random>`: the engine may die, and its bytes are good
 * as long as the machine did not stop as well.
 */
import { createReadStream } from 'node:fs';
import { lstat, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestHex, parseDigest } from '../../oci/digest.ts';
import { randomId } from '../../shared/ids.ts';
import { syncFile } from '../../sys/fs/durable.ts';
import { isMissing } from '../../sys/system-errors.ts';
import { MIN_PARTIAL_BYTES, type PartialBlob, type PartialBlobs } from '../partial-blobs.ts';

/** Before the digest in hexadecimal digits. */
const PREFIX = 'partial-';
const DOWNLOAD = /^download-([0-9a-f]+)-([0-9a-f]+)-/;

export class PartialFiles implements PartialBlobs {
  readonly #dir: string;
  readonly #boot: string;
  readonly #blobPath: (digest: Digest) => string;

  /** `dir` is the ingest directory; `blobPath` tells where a blob lies, in the same file system. */
  constructor(dir: string, bootId: string, blobPath: (digest: Digest) => string) {
    this.#dir = dir;
    this.#boot = bootId.replaceAll('-', '');
    this.#blobPath = blobPath;
  }

  async list(): Promise<readonly PartialBlob[]> {
    const found: PartialBlob[] = [];
    for (const name of await readdir(this.#dir)) {
      const digest = partialDigest(name);
      const stats = digest === undefined ? undefined : await statIfThere(join(this.#dir, name));
      if (digest === undefined || stats === undefined) continue;
      found.push({ digest, sizeBytes: stats.size, lastUsedMs: stats.mtimeMs });
    }
    return found;
  }

  async open(digest: Digest) {
    const path = this.#pathOf(digest);
    const stats = await statIfThere(path);
    if (stats === undefined) return undefined;
    const now = new Date();
    await utimes(path, now, now);
    // Only what was counted: a writer that gives up meanwhile may put a longer file in its place.
    const bytes = createReadStream(path, { end: stats.size - 1, highWaterMark: 256 * 1024 });
    return { sizeBytes: stats.size, bytes };
  }

  async setAside(digest: Digest): Promise<void> {
    const path = this.#blobPath(digest);
    const stats = await statIfThere(path);
    if (stats === undefined) return;
    if (stats.size < MIN_PARTIAL_BYTES) await rm(path, { force: true });
    else await this.#keep(path, { digest, sizeBytes: stats.size });
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.#pathOf(digest), { force: true });
  }

  /** Makes the file at `path`, which is on disk, the beginning of the blob, unless there is a longer one; then it goes. */
  async #keep(
    path: string,
    blob: { readonly digest: Digest; readonly sizeBytes: number },
  ): Promise<void> {
    const target = this.#pathOf(blob.digest);
    const known = await statIfThere(target);
    if (known !== undefined && known.size >= blob.sizeBytes) {
      await rm(path, { force: true });
      return;
    }
    const now = new Date();
    await utimes(path, now, now);
    await rename(path, target);
  }

  /** Where a download is written that can go on from any byte. */
  pathForDownload(digest: Digest): string {
    return join(this.#dir, `download-${digestHex(digest)}-${this.#boot}-${randomId()}`);
  }

  /** To be called when nothing is downloaded: keeps what an engine that died has left of this boot. */
  async keepBrokenDownloads(): Promise<void> {
    for (const name of await readdir(this.#dir)) {
      const [, hex, boot] = DOWNLOAD.exec(name) ?? [];
      const digest = parseDigest(`sha256:${hex}`);
      if (digest === undefined || boot !== this.#boot) continue;
      await this.tryKeep(join(this.#dir, name), digest);
    }
  }

  /** Keeps the file at `path` if it is worth it. Never rejects: what cannot be kept stays there, and is fetched again. */
  async tryKeep(path: string, digest: Digest): Promise<void> {
    try {
      const { size: sizeBytes } = await lstat(path);
      if (sizeBytes < MIN_PARTIAL_BYTES) return;
      // Not before it is on disk: after a power cut nobody could tell holes from bytes.
      await syncFile(path);
      await this.#keep(path, { digest, sizeBytes });
    } catch {
      // Whoever called removes it.
    }
  }

  #pathOf(digest: Digest): string {
    return join(this.#dir, `${PREFIX}${digestHex(digest)}`);
  }
}

/** Whose beginning a file of the ingest directory is, by its name. */
export function partialDigest(name: string): Digest | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  return parseDigest(`sha256:${name.slice(PREFIX.length)}`);
}

async function statIfThere(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
