/** From the tar stream of a layer to a blob in the store and to the layer's files, both at once. */
import { chainIdOn } from '../../oci/chain-id.ts';
import { type Digest, DigestCounter, digestOf } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import { OCI_LAYER, OCI_LAYER_GZIP } from '../../oci/media-types.ts';
import { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { LayerUnpacking } from '../../storage/layer-unpacker.ts';
import { gzipped } from './gzip-stream.ts';
import type { ImageDeps } from './image-deps.ts';
import type { ReleaseLease } from './leases.ts';

/** A layer that is in the store, ready to be named by a manifest. */
export interface PackedLayer {
  readonly descriptor: Descriptor;
  /** Digest of the tar stream. */
  readonly diffId: Digest;
  /** Ends the protection of blob and files. */
  readonly release: ReleaseLease;
}

type PackDeps = Pick<ImageDeps, 'content' | 'leases' | 'logger' | 'snapshots' | 'unpacker'>;

/** Two blocks of zeros: an archive without entries. */
const EMPTY_TAR = digestOf(new Uint8Array(1024));
/** Somebody waits for the commit; a registry or an archive gets these bytes only when asked. */
const LEVEL = 1;

/**
 * Stores the layer on top of `parent` (a chainID), protected until released; undefined, and nothing stored, when it has
 * no entries. On failure nothing remains but what a sweep takes.
 */
export async function packLayer(
  deps: PackDeps,
  tar: AsyncIterable<Uint8Array>,
  parent: Digest | undefined,
): Promise<PackedLayer | undefined> {
  await using undo = new CleanupStack((error) =>
    deps.logger.warn('the rest of a layer could not be removed', { error }),
  );
  const slot = await deps.snapshots.prepareLayer();
  undo.defer(() => slot.abandon());
  const unpacking = deps.unpacker.begin(slot, { mediaType: OCI_LAYER, diffId: undefined });
  undo.defer(() => unpacking.abort());
  const counter = new DigestCounter();
  const staged = await deps.content.stage(gzipped(unpacked(tar, unpacking, counter), LEVEL));
  undo.defer(() => staged.discard());
  const diffId = counter.digest();
  if (diffId === EMPTY_TAR) return undefined;
  const { sizeBytes, owners } = await unpacking.finish();

  const chainId = chainIdOn(parent, diffId);
  const release = await deps.leases.hold([staged.digest, chainId]);
  undo.defer(async () => release());
  await staged.publish();
  await slot.commit({ chainId, parent, sizeBytes, owners });
  undo.release();
  const { digest, sizeBytes: size } = staged;
  return { descriptor: { mediaType: OCI_LAYER_GZIP, digest, size }, diffId, release };
}

/** Passes on what it has unpacked. */
async function* unpacked(
  source: AsyncIterable<Uint8Array>,
  unpacking: LayerUnpacking,
  counter: DigestCounter,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    counter.update(chunk);
    await unpacking.write(chunk);
    yield chunk;
  }
}
