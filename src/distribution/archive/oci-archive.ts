/** The images of an OCI image layout (OCI image-spec, image-layout.md). */
import { decodeIndex, decodeJson } from '../../oci/decode-image.ts';
import type { Descriptor, Index } from '../../oci/image-spec.ts';
import { isIndexType, isManifestType } from '../../oci/media-types.ts';
import { choosePlatform, type Platform } from '../../oci/platform.ts';
import type { ArchivedImage } from '../image-archive.ts';
import { invalidArchive } from './archive-errors.ts';
import type { ArchiveSpool } from './archive-spool.ts';

/** Name of the table of contents. */
export const OCI_INDEX_FILE = 'index.json';

const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
const MAX_DEPTH = 4;

/** Takes, of an image for several platforms, the one that runs on `platform`. */
export async function readOciArchive(
  spool: ArchiveSpool,
  platform: Platform,
): Promise<readonly ArchivedImage[]> {
  const index = parseIndex(await spool.read(OCI_INDEX_FILE, MAX_DOCUMENT_BYTES));
  const images: ArchivedImage[] = [];
  for (const descriptor of index.manifests) {
    const manifest = await findManifest(spool, descriptor, platform);
    if (manifest === undefined) continue;
    const bytes = await readBlob(spool, manifest);
    const names = nameOf(descriptor);
    images.push({ names, manifest: { mediaType: manifest.mediaType, bytes } });
  }
  if (images.length === 0) throw invalidArchive('does not contain an image for this platform');
  return mergeNames(images);
}

/** The manifest behind a descriptor, which may be an index of indexes. */
async function findManifest(
  spool: ArchiveSpool,
  descriptor: Descriptor,
  platform: Platform,
): Promise<Descriptor | undefined> {
  let current: Descriptor | undefined = descriptor;
  for (let depth = 0; depth < MAX_DEPTH && current !== undefined; depth++) {
    if (isManifestType(current.mediaType)) return current;
    if (!isIndexType(current.mediaType)) return undefined;
    const { manifests } = parseIndex(await readBlob(spool, current));
    const candidates = manifests.map((candidate) => candidate.platform);
    const chosen = choosePlatform(candidates, platform);
    current = chosen === undefined ? onlyOne(manifests) : manifests[chosen];
  }
  return undefined;
}

/** An index with a single manifest and no platform means that one. */
function onlyOne(manifests: readonly Descriptor[]): Descriptor | undefined {
  const [first] = manifests;
  return manifests.length === 1 && first?.platform === undefined ? first : undefined;
}

function nameOf(descriptor: Descriptor): readonly string[] {
  const full = descriptor.annotations?.['io.containerd.image.name'];
  if (full !== undefined) return [full];
  const name = descriptor.annotations?.['org.opencontainers.image.ref.name'];
  // A bare tag names no repository.
  return name !== undefined && /[/:]/.test(name) ? [name] : [];
}

/** The same manifest may be listed once for each of its names. */
function mergeNames(images: readonly ArchivedImage[]): readonly ArchivedImage[] {
  const merged = new Map<string, ArchivedImage>();
  for (const image of images) {
    const key = Buffer.from(image.manifest.bytes).toString('latin1');
    const names = [...(merged.get(key)?.names ?? []), ...image.names];
    merged.set(key, { ...image, names });
  }
  return [...merged.values()];
}

function parseIndex(bytes: Uint8Array): Index {
  const decoded = decodeJson(bytes, decodeIndex);
  if (!decoded.ok) throw invalidArchive(`${OCI_INDEX_FILE}: ${decoded.problem}`);
  return decoded.value;
}

/** Found by contents, so a blob under a wrong name is a missing one. */
async function readBlob(spool: ArchiveSpool, descriptor: Descriptor): Promise<Buffer> {
  const name = `blobs/${descriptor.digest.replace(':', '/')}`;
  const file = spool.find(name);
  if (file !== undefined && file.digest !== descriptor.digest) {
    throw invalidArchive(`${name} has the digest ${file.digest}`);
  }
  return await spool.read(name, MAX_DOCUMENT_BYTES);
}
