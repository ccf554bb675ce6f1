/** Blobs of one image: is each there and whole? A damaged one is fetched again from where the image came from. */
import type { Repository } from '../../../distribution/image-registry.ts';
import type { StorageFinding } from '../../../handshake/storage-report.ts';
import { decodeJson, decodeManifest } from '../../../oci/decode-image.ts';
import type { Digest } from '../../../oci/digest.ts';
import type { Manifest } from '../../../oci/image-spec.ts';
import type { ImageDocument } from '../image-document.ts';
import { notInRegistry } from '../image-errors.ts';
import { MAX_DOCUMENT_BYTES } from '../image-store.ts';
import { parseStoredName } from '../stored-name.ts';
import { type CheckRun, cureFor, namesOfImage, settleFinding } from './check-run.ts';

/** `document`: a manifest or index, which registries give out by another door than blobs. */
interface WantedBlob {
  readonly form: 'document' | 'blob';
  readonly digest: Digest;
  readonly size: number | undefined;
}

/** Checks all blobs; manifest and config first, since they say which others there are. */
export async function* checkBlobs(
  run: CheckRun,
  document: ImageDocument,
): AsyncGenerator<StorageFinding> {
  const { manifest: own, indexDigest } = document;
  yield* checkBlob(run, document, { form: 'document', digest: own.digest, size: own.size });
  if (indexDigest !== undefined) {
    yield* checkBlob(run, document, { form: 'document', digest: indexDigest, size: undefined });
  }
  if (run.blobs.get(own.digest) !== true) return;
  const manifest = await readManifest(run, document);
  for (const { digest, size } of manifest === undefined
    ? []
    : [manifest.config, ...manifest.layers]) {
    yield* checkBlob(run, document, { form: 'blob', digest, size });
  }
}

/** The manifest of an image; undefined when it is missing or cannot be read. */
export async function readManifest(
  run: Pick<CheckRun, 'deps'>,
  document: ImageDocument,
): Promise<Manifest | undefined> {
  const { digest } = document.manifest;
  const { content } = run.deps;
  if ((await content.stat(digest)) === undefined) return undefined;
  const decoded = decodeJson(await content.read(digest, MAX_DOCUMENT_BYTES), decodeManifest);
  return decoded.ok ? decoded.value : undefined;
}

async function* checkBlob(
  run: CheckRun,
  document: ImageDocument,
  blob: WantedBlob,
): AsyncGenerator<StorageFinding> {
  const { digest } = blob;
  if (run.blobs.has(digest)) return;
  run.signal.throwIfAborted();
  const state = await run.deps.content.verify(digest);
  run.blobs.set(digest, state === 'whole');
  if (state === 'whole') return;
  const finding = await settleFinding(
    run,
    {
      kind: 'blob',
      subject: digest,
      images: namesOfImage(document),
      problem: state === 'missing' ? 'is missing' : 'does not have the bytes that its name says',
    },
    { act: () => fetchAgain(run, document, blob), cure: cureFor(document) },
  );
  run.blobs.set(digest, finding.outcome === 'repaired');
  yield finding;
}

/**
 * Replaces a blob from the first registry that has it. When none has, the damaged bytes lose their name, so that
 * the next pull or load of the image brings them.
 */
async function fetchAgain(run: CheckRun, document: ImageDocument, blob: WantedBlob): Promise<void> {
  const { content } = run.deps;
  const options = { replaces: true };
  const expected = {
    digest: blob.digest,
    ...(blob.size === undefined ? {} : { sizeBytes: blob.size }),
  };
  let failure: unknown = notInRegistry();
  for (const name of document.repoDigests) {
    const repository = run.deps.registry.repository(parseStoredName(name), undefined);
    try {
      await content.ingest(expected, download(repository, blob, run.signal), options);
      return;
    } catch (error) {
      failure = error;
    }
  }
  run.signal.throwIfAborted();
  await content.remove(blob.digest);
  throw failure;
}

async function* download(
  repository: Repository,
  { form, digest, size }: WantedBlob,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (form === 'blob') yield* repository.openBlob({ digest, size: size ?? 0 }, signal);
  else yield (await repository.fetchManifest(digest, signal)).bytes;
}
