/** Output as an archive for `docker load` and for OCI tools: one tar that is both. */
import type {
  OpenArchivedBlob,
  SavedImage,
  SavedIndex,
} from '../../../distribution/image-archive.ts';
import type { Digest } from '../../../oci/digest.ts';
import { canonicalReference, type ImageReference } from '../../../oci/reference.ts';
import type { Export, ExportAnswer, ExportDeps } from './export-deps.ts';
import { nothingToExport, onePlatformOnly, unsupportedOption } from './export-errors.ts';
import { imagesOf, namesOf } from './export-image.ts';
import { type ImageSet, imageSet } from './image-set.ts';
import { sendFile } from './send-file.ts';

/** Sends the archive to the client. `docker` holds one image, `oci` one for each platform. */
export function exportArchive(deps: ExportDeps, output: Export): Promise<ExportAnswer> {
  const { type, refs, progress, attributes } = output;
  const name =
    type === 'docker' ? 'exporting to docker image format' : 'exporting to oci image format';
  return progress.step(name, async (step) => {
    if (attributes.get('tar') === 'false') throw unsupportedOption('tar', 'false');
    if (type === 'docker' && refs.length > 1) throw onePlatformOnly(type, refs.length);
    const names = namesOf(output);
    // Docker's form has no place for what is said about an image.
    const attest = type === 'docker' ? undefined : output.attest?.(names);
    const set = imageSet(imagesOf(output), attest);
    const session = await output.session();
    const tar = deps.archives.write(
      set.images.map(
        ({ descriptor, manifest }): SavedImage => ({
          ...{ descriptor, manifest },
          names: names.map(canonicalReference),
        }),
      ),
      openBlob(deps, set),
      savedIndex(set),
    );
    await step.part('sending tarball', () =>
      sendFile(session, { output, details: new Map() }, tar),
    );
    return answerOf(set, names);
  });
}

function answerOf({ images, index }: ImageSet, names: readonly ImageReference[]): ExportAnswer {
  const [first] = images;
  if (first === undefined) throw nothingToExport();
  const { mediaType, digest, size } = index?.descriptor ?? first.descriptor;
  const descriptor = JSON.stringify({ mediaType, digest, size });
  return new Map([
    ['containerimage.digest', digest],
    ['containerimage.config.digest', first.manifest.config.digest],
    ['containerimage.descriptor', Buffer.from(descriptor).toString('base64')],
    ...(names.length === 0
      ? []
      : [['image.name', names.map(canonicalReference).join(',')] as const]),
  ]);
}

function savedIndex({ index }: ImageSet): SavedIndex | undefined {
  if (index === undefined) return undefined;
  const { descriptor, attestations } = index;
  const documents = [...attestations].map(([digest, bytes]) => ({
    ...{ digest, size: bytes.length },
    mediaType: 'application/octet-stream',
  }));
  return { descriptor, blobs: [descriptor, ...documents] };
}

/** Documents come from memory, layers from the store. */
function openBlob(deps: ExportDeps, { images, index }: ImageSet): OpenArchivedBlob {
  const documents = new Map(images.flatMap(({ bytes }) => [...bytes]));
  if (index !== undefined) {
    documents.set(index.descriptor.digest, index.bytes);
    for (const [digest, bytes] of index.attestations) documents.set(digest, bytes);
  }
  return (blob) => {
    const bytes = documents.get(blob.digest);
    return bytes === undefined ? fromStore(deps, blob.digest) : one(bytes);
  };
}

async function* fromStore({ content }: ExportDeps, digest: Digest): AsyncGenerator<Uint8Array> {
  for await (const chunk of await content.open(digest)) yield chunk as Uint8Array;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
