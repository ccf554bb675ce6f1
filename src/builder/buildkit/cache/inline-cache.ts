/** Which steps of a build a cache tells of, and the cache that an image carries in its own config. */
import type { ImageConfig } from '../../../oci/image-spec.ts';
import { toRecords } from '../../cache/remote/cache-config.ts';
import { INLINE_CACHE } from '../../cache/remote/read-cache.ts';
import type { BuiltImage, CachedStep } from '../../solver.ts';
import type { BuildJob, ReturnedResult } from '../build/build-job.ts';

/** `min`: steps whose layers are in the images; `max`: those of all stages. */
export function stepsToExport(
  { refs }: ReturnedResult,
  mode: 'min' | 'max',
): readonly CachedStep[] {
  const images = refs.flatMap(({ result, index }) => result.images[index] ?? []);
  return images.flatMap((image) => (mode === 'max' ? image.steps : ownSteps(image)));
}

function ownSteps({ steps, layers }: BuiltImage): readonly CachedStep[] {
  const own = new Set(layers.map(({ chainId }) => chainId));
  return steps.filter(({ layers: after }) => {
    const top = after.at(-1);
    return top === undefined || own.has(top.chainId);
  });
}

/** True when the images of the build are to carry their cache. */
export function wantsInlineCache({ order }: BuildJob): boolean {
  const isAsked = order.frontendAttrs.get('build-arg:BUILDKIT_INLINE_CACHE') === '1';
  return isAsked || (order.cache?.exports ?? []).some(({ type }) => type === 'inline');
}

/** The image with its cache in it. */
export function withInlineCache(image: BuiltImage): BuiltImage {
  const indexOf = new Map(image.layers.map(({ chainId }, index) => [chainId, index]));
  const records = toRecords(ownSteps(image), indexOf);
  const text = Buffer.from(JSON.stringify(records)).toString('base64');
  const config: ImageConfig & Readonly<Record<string, unknown>> = {
    ...image.config,
    [INLINE_CACHE]: text,
  };
  return { ...image, config };
}
