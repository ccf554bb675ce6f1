/** Port: images in an archive (`docker save`, OCI layout as a tar). */
import type { Descriptor, Manifest } from '../oci/image-spec.ts';
import type { Platform } from '../oci/platform.ts';

/** One image of an archive. */
export interface ArchivedImage {
  /** References as the archive has them, unparsed; empty for an image without a name. */
  readonly names: readonly string[];
  readonly manifest: { readonly mediaType: string; readonly bytes: Uint8Array };
}

/** An archive that was read to its end. Disposing it frees the disk space it took. */
export interface OpenedArchive extends AsyncDisposable {
  readonly images: readonly ArchivedImage[];
  /**
   * Absolute path of a file with exactly the bytes of a blob that a manifest of this archive names; may be linked.
   * `invalid-argument` when the archive lacks it, or its size is another one.
   */
  pathOf(blob: Pick<Descriptor, 'digest' | 'size'>): string;
}

export interface ArchiveReader {
  /**
   * Reads a docker or OCI archive, plain or compressed (gzip, bzip2, xz, zstd). `invalid-argument` when it is neither
   * or is damaged, `cancelled` when `signal` aborts; nothing remains then. `platform` chooses among those of an OCI
   * archive.
   */
  open(
    source: AsyncIterable<Uint8Array>,
    platform: Platform,
    signal: AbortSignal,
  ): Promise<OpenedArchive>;
  /** The bytes of an archive that may be compressed. Fails with `corrupt` when the compression is damaged. */
  decompress(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

/** An image to be written to an archive. */
export interface SavedImage {
  /** Full references with tag; empty for an image without a name. */
  readonly names: readonly string[];
  /** Of its manifest. */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

/** Bytes of a blob that is written to an archive; as many as its descriptor says. */
export type OpenArchivedBlob = (blob: Descriptor) => AsyncIterable<Uint8Array>;

/** An index that stands for all images of an archive, and what it names besides them. */
export interface SavedIndex {
  readonly descriptor: Descriptor;
  /** The index itself among them. */
  readonly blobs: readonly Descriptor[];
}

export interface ArchiveWriter {
  /** A docker archive and OCI layout in one tar. The same images give the same bytes. */
  write(
    images: readonly SavedImage[],
    openBlob: OpenArchivedBlob,
    index?: SavedIndex,
  ): AsyncIterable<Uint8Array>;
}
