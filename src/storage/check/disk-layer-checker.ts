/** The checker of a snapshotter that keeps its layers in a `LayerStore`. */
import type { Digest } from '../../oci/digest.ts';
import { decompressed } from '../../sys/compression/decompress.ts';
import type { BrokenActive, LayerChecker, LayerComparison } from '../layer-checker.ts';
import type { ActiveStore } from '../snapshots/active-store.ts';
import type { LayerStore } from '../snapshots/layer-store.ts';
import type { WhiteoutFormat } from '../snapshotter.ts';
import { layerInUse } from '../storage-errors.ts';
import { TarParser } from '../tar/tar-parser.ts';
import { treeDifferences } from './compare-tree.ts';
import { ExpectedTree } from './expected-tree.ts';

/** What became of a mount that fuse-overlayfs stood behind. */
export const HELPER_ENDED = 'the fuse-overlayfs process behind its files has ended';
const RESTART = 'restart the container';
const LAYER_MISSING = {
  problem: 'it stands on a layer that is missing',
  cure: 'pull or load its image again (docker inspect tells which), or remove the container',
};

export interface DiskLayerCheckerOptions {
  readonly layers: LayerStore;
  readonly active: ActiveStore;
  readonly whiteouts: WhiteoutFormat;
  /** Keys of active snapshots whose layers the kernel has in use. */
  readonly mounted: () => Promise<readonly string[]>;
  /** True when the mount of an active snapshot is broken. */
  readonly isDead: (key: string) => Promise<boolean>;
}

export class DiskLayerChecker implements LayerChecker {
  readonly #options: DiskLayerCheckerOptions;

  constructor(options: DiskLayerCheckerOptions) {
    this.#options = options;
  }

  async compare(
    chainId: Digest,
    blob: AsyncIterable<Uint8Array>,
    options: LayerComparison,
  ): Promise<readonly string[]> {
    const { layers, whiteouts } = this.#options;
    const { dir, owners } = await layers.ownFiles(chainId);
    const expected = await readExpected(
      blob,
      new ExpectedTree(whiteouts, { hashes: options.deep }),
    );
    const found: string[] = [];
    for await (const line of treeDifferences({ dir, expected, owners })) {
      found.push(line);
      if (found.length >= options.most) break;
    }
    return found;
  }

  async discard(chainId: Digest): Promise<void> {
    const { layers, active, mounted } = this.#options;
    for (const key of await mounted()) {
      if (active.has(key) && layers.isBelow(chainId, active.parentOf(key)))
        throw layerInUse(chainId);
    }
    await layers.discard(chainId);
  }

  async brokenActive(): Promise<readonly BrokenActive[]> {
    const { layers, active, isDead } = this.#options;
    const broken: BrokenActive[] = [];
    for (const key of active.keys()) {
      if (!layers.isComplete(active.parentOf(key))) broken.push({ key, ...LAYER_MISSING });
      else if (await isDead(key)) broken.push({ key, problem: HELPER_ENDED, cure: RESTART });
    }
    return broken;
  }
}

async function readExpected(
  blob: AsyncIterable<Uint8Array>,
  tree: ExpectedTree,
): Promise<ExpectedTree> {
  const parser = new TarParser();
  for await (const piece of decompressed(blob)) {
    parser.push(piece);
    for (let event = parser.next(); event !== undefined; event = parser.next()) tree.take(event);
  }
  parser.finish();
  return tree;
}
