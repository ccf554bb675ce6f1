/** Output as an archive for `docker load` and for OCI tools: one tar that is both. */
import type { OpenArchivedBlob, SavedImage } from '../../../distribution/image-archive.ts';
import type { Digest } from '../../../oci/digest.ts';
import { canonicalReference } from '../../../oci/reference.ts';
import type { Export, ExportAnswer, ExportDeps } from './export-deps.ts';
import { nothingToExport, onePlatformOnly, unsupportedOption } from './export-errors.ts';
import { namesOf } from './export-image.ts';
import { imageDocuments } from './image-documents.ts';
import { sendFile } from './send-file.ts';

/** Sends the archive to the client. `docker` holds one image, `oci` one for each platform. */
export function exportArchive(deps: ExportDeps, output: Export): Promise<ExportAnswer> {
  const { type, refs, progress, attributes } = output;
  const name =
    type === 'docker' ? 'exporting to docker image format' : 'exporting to oci image format';
  return progress.step(name, async (step) => {
    if (attributes.get('tar') === 'false') throw unsupportedOption('tar', 'false');
    if (type === 'docker' && refs.length > 1) throw onePlatformOnly(type, refs.length);
    const images = documentsOf(output);
    const [first] = images;
    if (first === undefined) throw nothingToExport();
    const names = namesOf(output).map(canonicalReference);
    const saved = images.map(
      (image): SavedImage => ({
        names,
        descriptor: image.descriptor,
        manifest: image.manifest,
      }),
    );
    const session = await output.session();
    const open = openBlob(deps, images);
    await step.part('sending tarball', () =>
      sendFile(session, { output, details: new Map() }, deps.archives.write(saved, open)),
    );
    const { descriptor, manifest } = first;
    const { mediaType, digest, size } = descriptor;
    return new Map([
      ['containerimage.digest', digest],
      ['containerimage.config.digest', manifest.config.digest],
      [
        'containerimage.descriptor',
        Buffer.from(JSON.stringify({ mediaType, digest, size })).toString('base64'),
      ],
    ]);
  });
}

function documentsOf({ refs }: Export) {
  return refs.flatMap(({ result, index }) => {
    const image = result.images[index];
    return image === undefined ? [] : [{ ...imageDocuments(image), platform: image.platform }];
  });
}

/** Documents come from memory, layers from the store. */
function openBlob(
  deps: ExportDeps,
  images: readonly { readonly bytes: ReadonlyMap<Digest, Uint8Array> }[],
): OpenArchivedBlob {
  const documents = new Map(images.flatMap(({ bytes }) => [...bytes]));
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
