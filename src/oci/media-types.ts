/** Media types of image documents and layers: OCI image-spec 1.1 and Docker's schema 2. */

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
export const OCI_LAYER_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const OCI_LAYER_ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd';
export const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';

const SCHEMA_1: readonly string[] = [
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
];
const CONFIGS: readonly string[] = [OCI_CONFIG, DOCKER_CONFIG, 'application/octet-stream'];

/** Accept header of manifest requests, best first. */
export const MANIFEST_ACCEPT = [OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST, DOCKER_MANIFEST].join(', ');

/** How the tar stream of a layer is packed. */
export type LayerCompression = 'none' | 'gzip' | 'zstd';

const LAYERS: ReadonlyMap<string, LayerCompression> = new Map([
  [OCI_LAYER, 'none'],
  [OCI_LAYER_GZIP, 'gzip'],
  [OCI_LAYER_ZSTD, 'zstd'],
  ['application/vnd.docker.image.rootfs.diff.tar', 'none'],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'gzip'],
  ['application/vnd.docker.image.rootfs.diff.tar.zstd', 'zstd'],
]);

/** True for an index or a Docker manifest list. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_INDEX;
}

/** True for the manifest of one image. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST;
}

/** True for the manifests of registries before 2016, which Docker no longer pulls. */
export function isSchema1Type(mediaType: string): boolean {
  return SCHEMA_1.includes(mediaType);
}

/** True for the config of a container image (an artifact of another kind has another type). */
export function isImageConfigType(mediaType: string): boolean {
  return CONFIGS.includes(mediaType);
}

/** True for layers that are not in the registry (foreign, non-distributable). */
export function isForeignLayerType(mediaType: string): boolean {
  return mediaType.includes('foreign') || mediaType.includes('nondistributable');
}

/** How a layer of this type is packed, undefined when it is no layer type that wherry knows. */
export function layerCompression(mediaType: string): LayerCompression | undefined {
  return LAYERS.get(mediaType);
}

/** The type of the same layer when it is compressed with gzip; undefined for one that is compressed. */
export function gzipTypeOf(mediaType: string): string | undefined {
  if (LAYERS.get(mediaType) !== 'none') return undefined;
  return mediaType === OCI_LAYER ? OCI_LAYER_GZIP : `${mediaType}.gzip`;
}
