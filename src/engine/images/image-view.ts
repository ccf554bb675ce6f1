/** An image as the engine shows it to the API. */
import type { Digest } from '../../oci/digest.ts';
import type { Descriptor, ImageConfig } from '../../oci/image-spec.ts';
import type { Platform } from '../../oci/platform.ts';

export interface ImageView {
  /** Digest of the image config. */
  readonly id: Digest;
  /** The image that it was made from by a commit, while that exists. */
  readonly parentId: Digest | undefined;
  readonly config: ImageConfig;
  /** The manifest for its own platform. */
  readonly manifest: Descriptor;
  /** What the image's name leads to in a registry: the index that it came with, else its manifest. */
  readonly descriptor: Descriptor;
  /** Familiar names: `busybox:latest`, `localhost:5000/x:1`. */
  readonly repoTags: readonly string[];
  /** `busybox@sha256:…`. */
  readonly repoDigests: readonly string[];
  /** Sum of the unpacked layers' sizes. */
  readonly sizeBytes: number;
  /** Bytes of the layers that other images have as well; present when asked for. */
  readonly sharedSizeBytes?: number;
  /** Containers made from it. */
  readonly containerCount: number;
  /** RFC 3339, when a tag was last put on it. */
  readonly lastTaggedAt: string;
  readonly layerChainIds: readonly Digest[];
  /** Present when asked for. */
  readonly manifests?: readonly ManifestView[];
}

/** A manifest of an image. Available: with all that it names. */
export type ManifestView = {
  readonly descriptor: Descriptor;
  readonly isAvailable: boolean;
  /** Bytes of it and of what it names that are here, as they came. */
  readonly contentBytes: number;
} & (
  | {
      readonly kind: 'image';
      readonly platform: Platform;
      readonly unpackedBytes: number;
      readonly containerIds: readonly string[];
    }
  | {
      readonly kind: 'attestation';
      /** Digest of the manifest that it is about; empty when it does not say. */
      readonly attests: string;
    }
  | { readonly kind: 'unknown' }
);
