/** From what was written in a file system to a layer: files by moving, blob by one pass over them. */
import { chainIdOn } from '../../oci/chain-id.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { OCI_LAYER } from '../../oci/media-types.ts';
import { CleanupStack } from '../../shared/cleanup-stack.ts';
import { type ContainerId, newContainerId } from '../../shared/ids.ts';
import type { BuilderDeps } from '../builder-deps.ts';
import type { NewLayer } from '../cache/layer-cache.ts';

/** Where a step writes. */
export interface Workplace {
  /** Names the snapshot, and whatever else the step has under an id. The next engine removes what a killed one left. */
  readonly id: ContainerId;
  readonly rootfsDir: string;
}

type LayerDeps = Pick<BuilderDeps, 'snapshots' | 'content' | 'images' | 'logger' | 'failpoints'>;

/** Two blocks of zeros: an archive without entries. */
const EMPTY_TAR = digestOf(new Uint8Array(1024));

/** Lets `write` change a file system on top of `parent` and makes a layer of the difference. On failure nothing remains. */
export async function makeLayer(
  deps: LayerDeps,
  parent: Digest | undefined,
  write: (place: Workplace) => Promise<void>,
): Promise<NewLayer> {
  const { snapshots, content, images, logger, failpoints } = deps;
  const id = newContainerId();
  await using undo = new CleanupStack((error) =>
    logger.warn('the rest of a build step could not be removed', { error }),
  );
  await snapshots.prepareActive(id, parent);
  undo.defer(() => snapshots.removeActive(id));
  const rootfsDir = await snapshots.mount(id);
  failpoints.hit('image-build:after-snapshot');
  await write({ id, rootfsDir });
  const staged = await content.stage(snapshots.diff(id, []).layerTar());
  undo.defer(() => staged.discard());
  failpoints.hit('image-build:after-blob');
  if (staged.digest === EMPTY_TAR) {
    return { layer: undefined, sizeBytes: 0, stored: Promise.resolve() };
  }
  const chainId = chainIdOn(parent, staged.digest);
  const release = await images.hold([staged.digest, chainId]);
  undo.defer(async () => release());
  const sizeBytes = await snapshots.activeSize(id);
  await snapshots.commitActive(id, { chainId, sizeBytes });
  undo.release();
  failpoints.hit('image-build:after-layer');
  const stored = staged.publish().then(() => undefined);
  stored.finally(release).catch(() => undefined);
  const descriptor = { mediaType: OCI_LAYER, digest: staged.digest, size: staged.sizeBytes };
  return { layer: { descriptor, diffId: staged.digest, chainId }, sizeBytes, stored };
}
