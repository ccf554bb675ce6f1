/** Snapshotters on disk, and layers for them. Needs a user and mount namespace. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chainIds } from '../../src/oci/chain-id.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { OCI_LAYER } from '../../src/oci/media-types.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { CopySnapshotter } from '../../src/storage/snapshots/copy/copy-snapshotter.ts';
import type { OpenedSnapshotter } from '../../src/storage/snapshots/open-snapshotter.ts';
import { fuseMounter, kernelMounter } from '../../src/storage/snapshots/overlay/overlay-mounter.ts';
import { OverlaySnapshotter } from '../../src/storage/snapshots/overlay/overlay-snapshotter.ts';
import { TarUnpacker } from '../../src/storage/unpack/tar-unpacker.ts';
import { requires } from './capabilities.ts';
import { layerTar, type TarMember } from './layer-tar.ts';

/** A snapshotter, and how to end and restart it. */
export interface SnapshotsFixture {
  readonly snapshots: OpenedSnapshotter;
  reopen(): Promise<OpenedSnapshotter>;
  dispose(): Promise<void>;
}

type Kind = 'overlay' | 'fuse-overlayfs' | 'copy';

/** The drivers that work on this machine; where fuse-overlayfs is promised it must be there. */
export const SNAPSHOTTER_KINDS: readonly Kind[] =
  requires('fuse-overlayfs').skip === false
    ? ['overlay', 'fuse-overlayfs', 'copy']
    : ['overlay', 'copy'];

async function openIn(kind: Kind, root: string): Promise<OpenedSnapshotter> {
  const options = { dir: join(root, 'data'), rootfsDir: join(root, 'run'), logger: silentLogger };
  if (kind === 'copy') return await CopySnapshotter.open(options);
  const mounter = kind === 'overlay' ? kernelMounter : fuseMounter;
  return await OverlaySnapshotter.open({ ...options, mounter });
}

/** Opens a new one in a directory of its own. */
export async function makeSnapshotter(kind: Kind): Promise<SnapshotsFixture> {
  // A name that would need escapes in mount options; fuse-overlayfs cannot do with a colon.
  const name = kind === 'fuse-overlayfs' ? 'snapshots,a-' : 'snapshots,a:b-';
  const root = await mkdtemp(join(tmpdir(), name));
  let current = await openIn(kind, root);
  return {
    snapshots: current,
    async reopen() {
      await current.close();
      current = await openIn(kind, root);
      return current;
    },
    async dispose() {
      for (const key of await current.listActive()) await current.removeActive(key);
      await current.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Unpacks one layer after another; returns the topmost chainID. */
export async function stackLayers(
  snapshots: OpenedSnapshotter,
  layers: readonly (readonly TarMember[])[],
): Promise<Digest | undefined> {
  const tars = layers.map(layerTar);
  const diffIds = tars.map((tar) => digestOf(tar));
  const chain = chainIds(diffIds);
  for (const [index, tar] of tars.entries()) {
    const slot = await snapshots.prepareLayer();
    const diffId = diffIds[index] ?? digestOf('');
    const unpacking = new TarUnpacker().begin(slot, { mediaType: OCI_LAYER, diffId });
    await unpacking.write(tar);
    const { sizeBytes } = await unpacking.finish();
    const chainId = chain[index] ?? digestOf('');
    await slot.commit({ chainId, parent: chain[index - 1], sizeBytes });
  }
  return chain.at(-1);
}
