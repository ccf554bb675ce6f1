/** The documents of a built image: its config and its manifest, in the form in which the store keeps them. */
import { type Digest, digestOf } from '../../../oci/digest.ts';
import type { Descriptor, Manifest } from '../../../oci/image-spec.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../../../oci/media-types.ts';
import type { BuiltImage } from '../../solver.ts';

export interface ImageDocuments {
  readonly manifest: Manifest;
  readonly descriptor: Descriptor;
  /** Bytes of both, by digest. */
  readonly bytes: ReadonlyMap<Digest, Uint8Array>;
}

export function imageDocuments(image: BuiltImage): ImageDocuments {
  const config = Buffer.from(JSON.stringify(image.config));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length },
    layers: image.layers.map(({ descriptor }) => descriptor),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = digestOf(bytes);
  return {
    manifest,
    descriptor: { mediaType: OCI_MANIFEST, digest, size: bytes.length },
    bytes: new Map([
      [manifest.config.digest, config],
      [digest, bytes],
    ]),
  };
}
