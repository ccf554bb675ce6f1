/** Reads image archives of both kinds. */
import type { Descriptor } from '../../oci/image-spec.ts';
import type { Platform } from '../../oci/platform.ts';
import type { ArchivedImage, ArchiveReader, OpenedArchive } from '../image-archive.ts';
import { invalidArchive } from './archive-errors.ts';
import { ArchiveSpool } from './archive-spool.ts';
import { DOCKER_MANIFEST_FILE, readDockerArchive } from './docker-archive.ts';
import { OCI_INDEX_FILE, readOciArchive } from './oci-archive.ts';

export interface TarArchiveReaderOptions {
  /** Archives are kept here while they are loaded; emptied by the content store at start. */
  readonly spoolDir: string;
  /** Chooses among the platforms of an OCI archive. */
  readonly platform: Platform;
}

export class TarArchiveReader implements ArchiveReader {
  readonly #options: TarArchiveReaderOptions;

  constructor(options: TarArchiveReaderOptions) {
    this.#options = options;
  }

  async open(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<OpenedArchive> {
    const spool = await ArchiveSpool.fill(this.#options.spoolDir, source, signal);
    try {
      const images = await this.#readImages(spool);
      return {
        images,
        openBlob: (blob) => openBlob(spool, blob),
        [Symbol.asyncDispose]: () => spool[Symbol.asyncDispose](),
      };
    } catch (error) {
      await spool[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #readImages(spool: ArchiveSpool): Promise<readonly ArchivedImage[]> {
    // Archives of both kinds at once are docker's: its own table has the names that the user gave.
    if (spool.find(DOCKER_MANIFEST_FILE) !== undefined) return await readDockerArchive(spool);
    if (spool.find(OCI_INDEX_FILE) === undefined) {
      throw invalidArchive(`does not contain a ${DOCKER_MANIFEST_FILE}`);
    }
    return await readOciArchive(spool, this.#options.platform);
  }
}

async function* openBlob(
  spool: ArchiveSpool,
  blob: Pick<Descriptor, 'digest'>,
): AsyncGenerator<Uint8Array> {
  const file = spool.findDigest(blob.digest);
  if (file === undefined) throw invalidArchive(`does not contain blob ${blob.digest}`);
  yield* spool.stream(file);
}
