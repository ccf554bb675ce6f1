/**
 * Writes images as a docker archive and an OCI image layout in one tar (OCI image-spec, image-layout.md): blobs stand
 * once each, under their digests, and the same images give the same bytes.
 */
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import { type Digest, digestHex } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import { familiarReference, parseReference } from '../../oci/reference.ts';
import type { ArchiveWriter, OpenArchivedBlob, SavedImage, SavedIndex } from '../image-archive.ts';
import { DOCKER_MANIFEST_FILE } from './docker-archive.ts';
import { OCI_INDEX_FILE } from './oci-archive.ts';

const LAYOUT_FILE = 'oci-layout';
const LAYOUT = { imageLayoutVersion: '1.0.0' };
const BLOBS_DIR = 'blobs/sha256/';
const FULL_NAME = 'io.containerd.image.name';
const REF_NAME = 'org.opencontainers.image.ref.name';

export class TarArchiveWriter implements ArchiveWriter {
  async *write(
    images: readonly SavedImage[],
    openBlob: OpenArchivedBlob,
    index?: SavedIndex,
  ): AsyncGenerator<Uint8Array> {
    const tar = pack();
    // A failure destroys the stream with it, so that the loop below throws it.
    const filling = fill(tar, { images, index }, openBlob).catch((error: unknown) => {
      tar.destroy(error instanceof Error ? error : new Error(String(error)));
    });
    try {
      for await (const chunk of tar) yield chunk as Uint8Array;
    } finally {
      tar.destroy();
      await filling;
    }
  }
}

interface Saved {
  readonly images: readonly SavedImage[];
  readonly index: SavedIndex | undefined;
}

async function fill(
  tar: Pack,
  { images, index }: Saved,
  openBlob: OpenArchivedBlob,
): Promise<void> {
  for (const name of ['blobs/', BLOBS_DIR]) tar.entry(header(name, 'directory'));
  const listed = [...images.flatMap(blobsOf), ...(index?.blobs ?? [])];
  const blobs = new Map(listed.map((blob) => [blob.digest, blob]));
  for (const blob of blobs.values()) {
    const sink = tar.entry({ ...header(pathOf(blob.digest), 'file'), size: blob.size });
    await pipeline(openBlob(blob), sink);
  }
  addJson(tar, OCI_INDEX_FILE, tableOf({ images, index }));
  // Docker's table of contents knows no platforms: readers would take the last of them.
  if (index === undefined) addJson(tar, DOCKER_MANIFEST_FILE, images.map(toTableEntry));
  addJson(tar, LAYOUT_FILE, LAYOUT);
  tar.finalize();
}

function addJson(tar: Pack, name: string, document: object): void {
  tar.entry(header(name, 'file'), Buffer.from(JSON.stringify(document)));
}

/** Nothing of this machine or of the time of day is in it. */
function header(name: string, type: 'file' | 'directory') {
  const mode = type === 'file' ? 0o644 : 0o755;
  return { name, type, mode, mtime: new Date(0), uid: 0, gid: 0 };
}

function blobsOf({ descriptor, manifest }: SavedImage): readonly Descriptor[] {
  return [descriptor, manifest.config, ...manifest.layers];
}

/** One entry for each image, or one for the index that names them. */
function tableOf({ images, index }: Saved): object {
  const [first] = images;
  const entries =
    index === undefined || first === undefined
      ? images
      : [{ descriptor: index.descriptor, names: first.names }];
  const manifests = entries.flatMap(({ descriptor, names }) => {
    const { mediaType, digest, size } = descriptor;
    if (names.length === 0) return [{ mediaType, digest, size }];
    return names.map((name) => {
      const annotations = { [FULL_NAME]: name, [REF_NAME]: tagOf(name) };
      return { mediaType, digest, size, annotations };
    });
  });
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
}

/** One image of docker's table of contents. */
function toTableEntry({ manifest, names }: SavedImage): object {
  return {
    Config: pathOf(manifest.config.digest),
    RepoTags: names.length === 0 ? null : names.map(shownName),
    Layers: manifest.layers.map(({ digest }) => pathOf(digest)),
  };
}

function pathOf(digest: Digest): string {
  return BLOBS_DIR + digestHex(digest);
}

function shownName(name: string): string {
  const parsed = parseReference(name);
  return parsed.ok ? familiarReference(parsed.reference) : name;
}

function tagOf(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1);
}
