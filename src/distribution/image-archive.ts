/** Port: images in an archive (`docker save`, OCI layout as a tar). */
import type { Descriptor } from '../oci/image-spec.ts';

/** One image of an archive. */
export interface ArchivedImage {
  /** References as the archive has them, unparsed; empty for an image without a name. */
  readonly names: readonly string[];
  readonly manifest: { readonly mediaType: string; readonly bytes: Uint8Array };
}

/** An archive that was read to its end. Disposing it frees the disk space it took. */
export interface OpenedArchive extends AsyncDisposable {
  readonly images: readonly ArchivedImage[];
  /** Bytes of a blob that a manifest of this archive names. `invalid-argument` when the archive lacks it. */
  openBlob(blob: Pick<Descriptor, 'digest' | 'size'>): AsyncIterable<Uint8Array>;
}

export interface ArchiveReader {
  /**
   * Reads a docker or OCI archive, plain or gzip. `invalid-argument` when it is neither or is damaged,
   * `not-implemented` for other compressions, `cancelled` when `signal` aborts; nothing remains then.
   */
  open(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<OpenedArchive>;
}
