/** Port: `index.json` of the OCI image layout, through which other tools find the images in the store. */
import type { Descriptor } from '../oci/image-spec.ts';

/** One manifest of the index. */
export interface LayoutEntry {
  readonly manifest: Descriptor;
  /** Full reference, e.g. `docker.io/library/busybox:latest`; undefined for an untagged image. */
  readonly name: string | undefined;
}

export interface LayoutIndex {
  /** Whether the index has exactly these entries. */
  isCurrent(entries: readonly LayoutEntry[]): Promise<boolean>;
  /** Replaces the whole index. Readers see the old or the new one. */
  write(entries: readonly LayoutEntry[]): Promise<void>;
}
