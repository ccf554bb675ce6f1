/** Unpacked layers of one image: are they there, and what their blobs say? What is not is unpacked again. */
import type { StorageFinding } from '../../../handshake/storage-report.ts';
import type { Digest } from '../../../oci/digest.ts';
import { messageOf } from '../../../shared/errors.ts';
import type { ImageDocument } from '../image-document.ts';
import type { ImageRecord } from '../image-store.ts';
import { unpackAgain } from '../repair-images.ts';
import { type CheckRun, cureFor, namesOfImage, settleFinding } from './check-run.ts';

/** So many differences show what happened; the rest is the same. */
const SHOWN_DIFFERENCES = 3;

/** Checks the layers of an image that could be loaded, from the bottom up. */
export async function* checkLayers(
  run: CheckRun,
  record: ImageRecord,
): AsyncGenerator<StorageFinding> {
  for (const [index, chainId] of record.chainIds.entries()) {
    if (run.layers.has(chainId)) continue;
    run.signal.throwIfAborted();
    const blob = record.manifest.layers[index]?.digest;
    const problem = await problemOf(run, chainId, blob);
    run.layers.set(chainId, problem === undefined);
    if (problem === undefined) continue;
    const finding = await settleFinding(
      run,
      { kind: 'layer', subject: chainId, images: namesOfImage(record.document), problem },
      {
        act: () => replaceLayer(run, record, chainId),
        cure: layerCure(run, record.document, blob),
      },
    );
    run.layers.set(chainId, finding.outcome === 'repaired');
    yield finding;
  }
}

/** Undefined when all is well, and when there is nothing to compare with: of the blob it was told already. */
async function problemOf(
  run: CheckRun,
  chainId: Digest,
  blob: Digest | undefined,
): Promise<string | undefined> {
  const { snapshots, content, checker } = run.deps;
  if (!(await snapshots.hasCommitted(chainId))) return 'is not unpacked';
  if (blob === undefined || run.blobs.get(blob) !== true) return undefined;
  try {
    const bytes = await content.open(blob);
    const options = { deep: run.deep, most: SHOWN_DIFFERENCES };
    const differences = await checker.compare(chainId, bytes, options);
    return differences.length === 0
      ? undefined
      : `differs from its blob: ${differences.join(', ')}`;
  } catch (error) {
    return `cannot be compared with its blob: ${messageOf(error)}`;
  }
}

/** The old files go only when the blob to unpack them from is known to be whole. */
async function replaceLayer(run: CheckRun, record: ImageRecord, chainId: Digest): Promise<void> {
  const { deps, signal } = run;
  await deps.checker.discard(chainId);
  await unpackAgain(deps, record, signal);
}

function layerCure(run: CheckRun, document: ImageDocument, blob: Digest | undefined): string {
  if (blob !== undefined && run.blobs.get(blob) !== true) return cureFor(document);
  return 'stop the containers of the image and check again';
}
