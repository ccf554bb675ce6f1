/**
 * Port: directories with images that several users of a machine share, as OCI image layouts. They are only read; what
 * stands in them is believed no more than what a registry sends.
 */
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/image-spec.ts';

/** An image, or several for different platforms, that a layout offers. */
export interface SharedEntry {
  /** The directory that the user named. */
  readonly dir: string;
  /** A manifest or an index. */
  readonly descriptor: Descriptor;
  /** Name by which the layout calls it; undefined for a nameless one. */
  readonly name: string | undefined;
}

/** A layout that cannot be read now. */
export interface UnreadableLayout {
  readonly dir: string;
  readonly reason: string;
}

export interface SharedLayouts {
  /** Everything that is offered; undefined when nothing has changed since the last call. */
  changed(): Promise<readonly SharedEntry[] | undefined>;
  /** As found by the last call of `changed`. */
  unreadable(): readonly UnreadableLayout[];
  /** Path and size of a blob, undefined when no layout has it. */
  locate(digest: Digest): Promise<{ path: string; sizeBytes: number } | undefined>;
}
