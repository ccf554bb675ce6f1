/** Removes blobs and layers that neither an image nor a cache needs. */
import type { Digest } from '../../oci/digest.ts';
import { kindOf } from '../../shared/errors.ts';
import type { ImageDeps } from './image-deps.ts';
import type { ImageRecord } from './image-store.ts';

/** What a sweep removed. */
export interface Sweep {
  /** chainIDs, upper layers first. */
  readonly layers: readonly Digest[];
  /** Sizes of the removed layers' files. */
  readonly reclaimedBytes: number;
}

export interface SweepOptions {
  /** Blobs that only lose their name: their bytes serve the next download. */
  readonly setAside?: readonly Digest[] | 'all';
  /** Layers that go although an image has them: they can be unpacked again. */
  readonly dropped?: readonly Digest[];
}

type GarbageDeps = Pick<ImageDeps, 'store' | 'content' | 'snapshots' | 'leases' | 'caches'>;

/**
 * Nothing that a running pull has or counts on is touched, nor a layer that a container stands on, nor what a cache
 * holds.
 */
export function collectGarbage(deps: GarbageDeps, options: SweepOptions = {}): Promise<Sweep> {
  const { setAside = [], dropped = [] } = options;
  return deps.leases.exclusively(async () => {
    const isLeft = garbageTest(deps);
    const isGarbage = (digest: Digest) =>
      isLeft(digest) || (dropped.includes(digest) && !deps.leases.isHeld(digest));
    for (const digest of await deps.content.list()) {
      if (!isGarbage(digest)) continue;
      if (setAside === 'all' || setAside.includes(digest))
        await deps.content.partials.setAside(digest);
      else await deps.content.remove(digest);
    }
    return await removeLayers(deps, (await deps.snapshots.listCommitted()).filter(isGarbage));
  });
}

/** Blobs and layers that a sweep would take now, as far as nothing stands on them. */
export function garbageIn(deps: GarbageDeps): Promise<readonly Digest[]> {
  return deps.leases.exclusively(async () => {
    const all = [...(await deps.content.list()), ...(await deps.snapshots.listCommitted())];
    return all.filter(garbageTest(deps));
  });
}

function garbageTest(deps: GarbageDeps): (digest: Digest) => boolean {
  const needed = new Set([
    ...deps.store.list().flatMap(digestsOf),
    ...deps.caches.flatMap((cache) => [...cache.holds()]),
  ]);
  return (digest) => !needed.has(digest) && !deps.leases.isHeld(digest);
}

/** Every blob and layer of an image. */
export function digestsOf(record: ImageRecord): readonly Digest[] {
  const { document, manifest, chainIds } = record;
  return [
    document.id,
    document.manifest.digest,
    ...(document.indexDigest === undefined ? [] : [document.indexDigest]),
    ...(document.besides ?? []),
    ...manifest.layers.map((layer) => layer.digest),
    ...chainIds,
  ];
}

/** Upper layers hold lower ones: goes round until nothing more gives way. */
async function removeLayers(deps: GarbageDeps, garbage: readonly Digest[]): Promise<Sweep> {
  const layers: Digest[] = [];
  let reclaimedBytes = 0;
  for (let left = garbage, before = -1; left.length > 0 && left.length !== before; ) {
    before = left.length;
    const kept: Digest[] = [];
    for (const chainId of left) {
      const sizeBytes = await deps.snapshots.committedSize(chainId);
      if (await removeLayer(deps, chainId)) {
        layers.push(chainId);
        reclaimedBytes += sizeBytes;
      } else kept.push(chainId);
    }
    left = kept;
  }
  return { layers, reclaimedBytes };
}

async function removeLayer(deps: GarbageDeps, chainId: Digest): Promise<boolean> {
  try {
    await deps.snapshots.removeCommitted(chainId);
    return true;
  } catch (error) {
    if (kindOf(error) === 'conflict') return false;
    throw error;
  }
}
