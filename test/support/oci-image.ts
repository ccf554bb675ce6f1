/** Tiny images in memory. */
import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import type { Descriptor, ImageRunConfig, Manifest } from '../../src/oci/image-spec.ts';
import {
  OCI_CONFIG,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from '../../src/oci/media-types.ts';
import { filesTar, layerTar, type TarMember } from './layer-tar.ts';
import { pack } from './pack.ts';

/** A layer: its files by path, or its members one by one. */
export type LayerRecipe = Readonly<Record<string, string>> | readonly TarMember[];

/** A layer packed by `zstd` needs that program. */
export type LayerPacking = 'none' | 'gzip' | 'zstd';

const PACKING: Readonly<Record<LayerPacking, readonly [string, (tar: Buffer) => Buffer]>> = {
  none: [OCI_LAYER, (tar) => tar],
  gzip: [OCI_LAYER_GZIP, (tar) => gzipSync(tar, { level: 1 })],
  zstd: [OCI_LAYER_ZSTD, (tar) => pack('zstd', tar)],
};

export interface OciImageRecipe {
  readonly layers: readonly LayerRecipe[];
  /** How its layers are packed; gzip when absent. */
  readonly packing?: LayerPacking;
  readonly config?: ImageRunConfig;
  readonly architecture?: string;
  readonly os?: string;
  readonly created?: string;
}

/** An image with all its parts; `blobs` has every one of them by digest, the manifest included. */
export interface OciImage {
  readonly id: Digest;
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly manifestBytes: Buffer;
  readonly diffIds: readonly Digest[];
  readonly tars: readonly Buffer[];
  readonly blobs: ReadonlyMap<Digest, Buffer>;
}

/** Builds an image. The same recipe gives the same digests. */
export function ociImage(recipe: OciImageRecipe): OciImage {
  const tars = recipe.layers.map(toTar);
  const diffIds = tars.map((tar) => digestOf(tar));
  const [layerType, packLayer] = PACKING[recipe.packing ?? 'gzip'];
  const packed = tars.map(packLayer);
  const config = Buffer.from(
    JSON.stringify({
      created: recipe.created ?? '2025-01-01T00:00:00Z',
      architecture: recipe.architecture ?? 'amd64',
      os: recipe.os ?? 'linux',
      config: recipe.config ?? { Cmd: ['/hello'] },
      rootfs: { type: 'layers', diff_ids: diffIds },
      history: diffIds.map((_, index) => ({ created_by: `step ${index}` })),
    }),
  );
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: describe(OCI_CONFIG, config),
    layers: packed.map((layer) => describe(layerType, layer)),
  };
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  const blobs = [config, manifestBytes, ...packed].map((b) => [digestOf(b), b] as const);
  return {
    id: digestOf(config),
    digest: digestOf(manifestBytes),
    manifest,
    manifestBytes,
    diffIds,
    tars,
    blobs: new Map(blobs),
  };
}

/** A descriptor of bytes. */
export function describe(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

/** The image as `docker save` of old wrote it: manifest.json last, plain layers in directories. */
export function dockerArchive(image: OciImage, repoTags: readonly string[]): Buffer {
  const config = image.blobs.get(image.id) ?? Buffer.alloc(0);
  const layers = image.tars.map((tar, index) => ({
    name: `layer${index}/layer.tar`,
    content: tar,
  }));
  const table = [
    { Config: 'config.json', RepoTags: repoTags, Layers: layers.map(({ name }) => name) },
  ];
  return layerTar([
    ...layers,
    { name: 'config.json', content: config },
    { name: 'manifest.json', content: JSON.stringify(table) },
  ]);
}

/** The image as an OCI layout in a tar; `name` goes into the usual annotations. */
export function ociArchive(image: OciImage, name: string | undefined): Buffer {
  const annotations = name === undefined ? {} : { 'org.opencontainers.image.ref.name': name };
  const descriptor = { ...describe(OCI_MANIFEST, image.manifestBytes), annotations };
  const index = { schemaVersion: 2, manifests: [descriptor] };
  return layerTar([
    { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', content: JSON.stringify(index) },
    ...[...image.blobs].map(([digest, content]) => ({
      name: `blobs/${digest.replace(':', '/')}`,
      content,
    })),
  ]);
}

function toTar(recipe: LayerRecipe): Buffer {
  return Array.isArray(recipe)
    ? layerTar(recipe)
    : filesTar(recipe as Readonly<Record<string, string>>);
}
