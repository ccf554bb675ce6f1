/** Writes `index.json` of the content directory (OCI image-spec, image-layout.md). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Descriptor } from '../../oci/image-spec.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import { CONTENT_NAMES } from '../../sys/filenames.ts';
import { writeFileDurably } from '../../sys/fs/durable.ts';
import type { LayoutEntry, LayoutIndex } from '../layout-index.ts';
import { writeFailed } from '../storage-errors.ts';

/** The annotation that OCI tools select by, and the one that containerd and docker load read. */
export const REF_NAME = 'org.opencontainers.image.ref.name';
export const FULL_NAME = 'io.containerd.image.name';

export class OciLayoutIndex implements LayoutIndex {
  readonly #path: string;
  #tail: Promise<void> = Promise.resolve();

  /** `contentDir` is the directory that holds `blobs`. */
  constructor(contentDir: string) {
    this.#path = join(contentDir, CONTENT_NAMES.index);
  }

  async isCurrent(entries: readonly LayoutEntry[]): Promise<boolean> {
    await this.#tail;
    try {
      return (await readFile(this.#path, 'utf8')) === toText(entries);
    } catch {
      return false;
    }
  }

  write(entries: readonly LayoutEntry[]): Promise<void> {
    // One after another: an older list must never overwrite a newer one.
    const job = this.#tail.then(() =>
      writeFileDurably(this.#path, toText(entries), { mode: 0o644 }),
    );
    this.#tail = job.catch(() => undefined);
    return job.catch((error: unknown) => {
      throw writeFailed('write the image index', error);
    });
  }
}

function toText(entries: readonly LayoutEntry[]): string {
  const manifests = entries.map(toDescriptor);
  const document = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
  return `${JSON.stringify(document, null, 1)}\n`;
}

function toDescriptor(entry: LayoutEntry): Descriptor {
  const { mediaType, digest, size } = entry.manifest;
  if (entry.name === undefined) return { mediaType, digest, size };
  const annotations = { [FULL_NAME]: entry.name, [REF_NAME]: entry.name };
  return { mediaType, digest, size, annotations };
}
