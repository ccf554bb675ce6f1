/** Takes the result of a step from a cache of another place. */
import type { Digest } from '../../../oci/digest.ts';
import type { BuilderDeps } from '../../builder-deps.ts';
import type { RemoteCache } from '../../solver.ts';
import type { FetchedLayer } from '../layer-cache.ts';

/**
 * Undefined when no cache has it, or none can give it: then the step is carried out. Only a layer that stands on the
 * same layers as the step is one.
 */
export async function fetchStep(
  run: { readonly deps: BuilderDeps; readonly caches: readonly RemoteCache[] },
  step: { readonly key: Digest; readonly parent: Digest | undefined },
  signal: AbortSignal,
): Promise<FetchedLayer | undefined> {
  const { images, snapshots, logger } = run.deps;
  for (const { steps, openBlob } of run.caches) {
    const found = steps.get(step.key)?.find(({ parent }) => parent === step.parent);
    if (found === undefined) continue;
    const { layer, created } = found;
    if (layer === undefined) return { layer, created, sizeBytes: 0, release: () => undefined };
    try {
      const placed = { ...layer, parent: step.parent };
      const release = await images.fetchLayer(placed, openBlob, signal);
      return { layer, created, release, sizeBytes: await snapshots.committedSize(layer.chainId) };
    } catch (error) {
      signal.throwIfAborted();
      logger.warn('a cached layer could not be fetched: its step is carried out', { error });
    }
  }
  return undefined;
}
