/** Image archives as `docker save` writes them: an OCI layout with docker's `manifest.json` beside it. */
import { createHash } from 'node:crypto';
import { arch } from 'node:os';
import { gzipSync } from 'node:zlib';
import { type LayerEntry, tarOf } from './tar-of.ts';

/** What an image is made of. */
export interface ImageRecipe {
  /** `repository:tag`, without a registry for names of our own. */
  readonly reference: string;
  /** Bottom first. */
  readonly layers: readonly { readonly tar: Buffer; readonly createdBy: string }[];
  /** RFC 3339. */
  readonly created: string;
  /** Fields of the image's `config`, in their wire spelling. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Bytes named by their digest. */
export interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

/** An image as the blobs that a registry or a layout holds. */
export interface ImageBlobs {
  readonly config: Blob;
  readonly layers: readonly Blob[];
  readonly manifest: Blob;
}

const MEDIA_TYPE = {
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
};

/** The OCI word for this machine's processor. */
export const ARCHITECTURE = arch() === 'x64' ? 'amd64' : arch();

/** Compresses the layers and writes config and manifest. */
export function imageBlobs({ layers, created, config }: ImageRecipe): ImageBlobs {
  const layerBlobs = layers.map(({ tar }) => blobOf(MEDIA_TYPE.layer, gzipSync(tar)));
  const configBlob = jsonBlob(MEDIA_TYPE.config, {
    created,
    architecture: ARCHITECTURE,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => digestOf(tar)) },
    history: layers.map(({ createdBy }) => ({ created, created_by: createdBy })),
  });
  const manifest = jsonBlob(MEDIA_TYPE.manifest, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: descriptorOf(configBlob),
    layers: layerBlobs.map(descriptorOf),
  });
  return { config: configBlob, layers: layerBlobs, manifest };
}

/** The image as one tar archive. */
export async function imageArchive(recipe: ImageRecipe): Promise<Buffer> {
  const { config, layers, manifest } = imageBlobs(recipe);
  const tag = recipe.reference.split(':')[1] ?? 'latest';
  const index = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.index,
    manifests: [
      {
        ...descriptorOf(manifest),
        annotations: {
          'io.containerd.image.name': `docker.io/${recipe.reference}`,
          'org.opencontainers.image.ref.name': tag,
        },
      },
    ],
  };
  const dockerManifest = [
    { Config: blobPath(config), RepoTags: [recipe.reference], Layers: layers.map(blobPath) },
  ];
  const entries: readonly LayerEntry[] = [
    { kind: 'directory', path: 'blobs', mode: 0o755 },
    { kind: 'directory', path: 'blobs/sha256', mode: 0o755 },
    ...[config, ...layers, manifest].map((blob) => fileEntry(blobPath(blob), blob.bytes)),
    fileEntry('index.json', jsonBytes(index)),
    fileEntry('manifest.json', jsonBytes(dockerManifest)),
    fileEntry('oci-layout', jsonBytes({ imageLayoutVersion: '1.0.0' })),
  ];
  return tarOf(entries, Date.parse(recipe.created));
}

/** `sha256:…` of some bytes. */
export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A blob of JSON text. */
export function jsonBlob(mediaType: string, value: unknown): Blob {
  return blobOf(mediaType, jsonBytes(value));
}

/** `{mediaType, digest, size}` of a blob. */
export function descriptorOf({ mediaType, digest, bytes }: Blob): {
  mediaType: string;
  digest: string;
  size: number;
} {
  return { mediaType, digest, size: bytes.length };
}

function blobOf(mediaType: string, bytes: Buffer): Blob {
  return { mediaType, digest: digestOf(bytes), bytes };
}

function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function blobPath({ digest }: Blob): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function fileEntry(path: string, content: Buffer): LayerEntry {
  return { kind: 'file', path, mode: 0o644, content };
}
