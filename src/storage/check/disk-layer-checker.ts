/** The checker of a snapshotter that keeps its layers in a `LayerStore`. */
import type { Digest } from '../../oci/digest.ts';
import { decompressed } from '../../sys/compression/decompress.ts';
import type { LayerChecker, LayerComparison } from '../layer-checker.ts';
import type { ActiveStore } from '../snapshots/active-store.ts';
import type { LayerStore } from '../snapshots/layer-store.ts';
import type { WhiteoutFormat } from '../snapshotter.ts';
import { layerInUse } from '../storage-errors.ts';
import { TarParser } from '../tar/tar-parser.ts';
import { treeDifferences } from './compare-tree.ts';
import { ExpectedTree } from './expected-tree.ts';

export interface DiskLayerCheckerOptions {
  readonly layers: LayerStore;
  readonly active: ActiveStore;
  readonly whiteouts: WhiteoutFormat;
  /** Keys of active snapshots whose layers the kernel has in use. */
  readonly mounted: () => Promise<readonly string[]>;
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

  brokenActive(): readonly string[] {
    const { layers, active } = this.#options;
    return active.keys().filter((key) => !layers.isComplete(active.parentOf(key)));
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
