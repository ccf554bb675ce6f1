/** An image as the engine shows it to the API. */
import type { Digest } from '../../oci/digest.ts';
import type { ImageConfig } from '../../oci/image-spec.ts';

export interface ImageView {
  /** Digest of the image config. */
  readonly id: Digest;
  /** The image that it was made from by a commit, while that exists. */
  readonly parentId: Digest | undefined;
  readonly config: ImageConfig;
  readonly manifestDigest: Digest;
  readonly manifestMediaType: string;
  readonly manifestSizeBytes: number;
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
}
