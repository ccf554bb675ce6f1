/** The images of a `docker save` archive, whose `manifest.json` lists configs, names and layers. */
import * as v from 'valibot';
import type { Descriptor, Manifest } from '../../oci/image-spec.ts';
import {
  OCI_CONFIG,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from '../../oci/media-types.ts';
import { messageOf } from '../../shared/errors.ts';
import type { ArchivedImage } from '../image-archive.ts';
import { invalidArchive, unsupportedLayerCompression } from './archive-errors.ts';
import type { ArchiveSpool, SpooledFile } from './archive-spool.ts';

/** Name of the table of contents. */
export const DOCKER_MANIFEST_FILE = 'manifest.json';

const MAX_TABLE_BYTES = 16 * 1024 * 1024;

const tableSchema = v.array(
  v.object({
    Config: v.string(),
    RepoTags: v.nullish(v.array(v.string()), []),
    Layers: v.nullish(v.array(v.string()), []),
  }),
);
type TableEntry = v.InferOutput<typeof tableSchema>[number];

/** Such archives hold no manifests of the registry's kind: one is made for each image. */
export async function readDockerArchive(spool: ArchiveSpool): Promise<readonly ArchivedImage[]> {
  const bytes = await spool.read(DOCKER_MANIFEST_FILE, MAX_TABLE_BYTES);
  return parseTable(bytes).map((entry) => {
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: descriptorOf(spool, entry.Config, () => OCI_CONFIG),
      layers: entry.Layers.map((name) => descriptorOf(spool, name, layerType)),
    };
    return {
      names: entry.RepoTags,
      manifest: { mediaType: OCI_MANIFEST, bytes: Buffer.from(JSON.stringify(manifest)) },
    };
  });
}

function parseTable(bytes: Buffer): readonly TableEntry[] {
  try {
    return v.parse(tableSchema, JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw invalidArchive(`${DOCKER_MANIFEST_FILE}: ${messageOf(error)}`, error);
  }
}

function descriptorOf(
  spool: ArchiveSpool,
  name: string,
  mediaTypeOf: (file: SpooledFile) => string,
): Descriptor {
  const file = spool.find(name);
  if (file === undefined) throw invalidArchive(`does not contain ${name}`);
  return { mediaType: mediaTypeOf(file), digest: file.digest, size: file.size };
}

function layerType(file: SpooledFile): string {
  if (file.compression === undefined) return OCI_LAYER;
  if (file.compression === 'gzip') return OCI_LAYER_GZIP;
  if (file.compression === 'zstd') return OCI_LAYER_ZSTD;
  throw unsupportedLayerCompression(file.compression);
}
