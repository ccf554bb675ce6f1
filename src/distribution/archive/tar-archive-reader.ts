/** Reads image archives of both kinds. */

import { decodeJson, decodeManifest } from '../../oci/decode-image.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import type { Platform } from '../../oci/platform.ts';
import { kindOf } from '../../shared/errors.ts';
import { decompressed } from '../../sys/compression/decompress.ts';
import type { ArchivedImage, ArchiveReader, OpenedArchive } from '../image-archive.ts';
import { invalidArchive } from './archive-errors.ts';
import { ArchiveSpool } from './archive-spool.ts';
import { DOCKER_MANIFEST_FILE, readDockerArchive } from './docker-archive.ts';
import { OCI_INDEX_FILE, readOciArchive } from './oci-archive.ts';

export class TarArchiveReader implements ArchiveReader {
  readonly #spoolDir: string;

  /** Archives are kept below `spoolDir` while they are loaded; the content store empties it at start. */
  constructor(spoolDir: string) {
    this.#spoolDir = spoolDir;
  }

  async open(
    source: AsyncIterable<Uint8Array>,
    platform: Platform,
    signal: AbortSignal,
  ): Promise<OpenedArchive> {
    const spool = await ArchiveSpool.fill(this.#spoolDir, source, signal);
    try {
      const images = await readImages(spool, platform);
      return {
        images,
        pathOf: (blob) => pathOf(spool, blob),
        [Symbol.asyncDispose]: () => spool[Symbol.asyncDispose](),
      };
    } catch (error) {
      await spool[Symbol.asyncDispose]();
      throw error;
    }
  }

  decompress(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    return decompressed(source);
  }
}

async function readImages(
  spool: ArchiveSpool,
  platform: Platform,
): Promise<readonly ArchivedImage[]> {
  const isDocker = spool.find(DOCKER_MANIFEST_FILE) !== undefined;
  const isOci = spool.find(OCI_INDEX_FILE) !== undefined;
  if (!(isDocker || isOci)) throw invalidArchive(`does not contain a ${DOCKER_MANIFEST_FILE}`);
  if (!isDocker) return await readOciArchive(spool, platform);
  const images = await readDockerArchive(spool);
  return isOci ? withOwnManifests(images, await ociImages(spool, platform)) : images;
}

/** Of an archive of both kinds. The docker part is enough to load it when this one is for other platforms. */
async function ociImages(
  spool: ArchiveSpool,
  platform: Platform,
): Promise<readonly ArchivedImage[]> {
  try {
    return await readOciArchive(spool, platform);
  } catch (error) {
    if (kindOf(error) === 'invalid-argument') return [];
    throw error;
  }
}

function pathOf(spool: ArchiveSpool, blob: Pick<Descriptor, 'digest' | 'size'>): string {
  const file = spool.findDigest(blob.digest);
  if (file === undefined) throw invalidArchive(`does not contain blob ${blob.digest}`);
  if (file.size !== blob.size) {
    throw invalidArchive(`blob ${blob.digest} has ${file.size} bytes, not ${blob.size}`);
  }
  return file.path;
}

/**
 * Archives of both kinds at once: docker's table has the names that the user gave, the OCI layout the manifests, whose
 * digests stay as they are. Images are the same when their configs are.
 */
function withOwnManifests(
  images: readonly ArchivedImage[],
  layout: readonly ArchivedImage[],
): readonly ArchivedImage[] {
  const own = new Map(layout.map(({ manifest }) => [configOf(manifest), manifest]));
  return images.map((image) => ({
    ...image,
    manifest: own.get(configOf(image.manifest)) ?? image.manifest,
  }));
}

function configOf({ bytes }: ArchivedImage['manifest']): Digest | undefined {
  const decoded = decodeJson(bytes, decodeManifest);
  return decoded.ok ? decoded.value.config.digest : undefined;
}
