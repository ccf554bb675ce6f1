/** Writes what a build has in the cache to the places that its client names. */
import { type Digest, digestOf } from '../../../oci/digest.ts';
import type { Descriptor } from '../../../oci/image-spec.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../oci/media-types.ts';
import { messageOf } from '../../../shared/errors.ts';
import type { BuildImages } from '../../build-images.ts';
import { CACHE_CONFIG, layersOf, toCacheConfig } from '../../cache/remote/cache-config.ts';
import type { BuiltLayer, CachedStep } from '../../solver.ts';
import type { BuildJob, ReturnedResult } from '../build/build-job.ts';
import type { StepProgress } from '../build/client-progress.ts';
import { parseBoolean } from '../frontend/frontend-options.ts';
import type { Session } from '../session/session-registry.ts';
import { unknownCache } from './cache-imports.ts';
import {
  type CacheTarget,
  localTarget,
  type RegistryTargetDeps,
  registryTarget,
} from './cache-target.ts';
import { stepsToExport } from './inline-cache.ts';

export interface CacheExportDeps extends RegistryTargetDeps {
  readonly images: Pick<BuildImages, 'compressed'>;
}

interface CacheExport {
  readonly job: BuildJob;
  readonly returned: ReturnedResult;
  session(): Promise<Session>;
}

type CacheEntry = NonNullable<BuildJob['order']['cache']>['exports'][number];

/** Resolves to what the client is told. `inline` caches are part of the image, and not written here. */
export async function exportCache(
  deps: CacheExportDeps,
  build: CacheExport,
): Promise<ReadonlyMap<string, string>> {
  const answer = new Map<string, string>();
  for (const entry of build.job.order.cache?.exports ?? []) {
    if (entry.type === 'inline') continue;
    try {
      const manifest = await exportTo(deps, build, entry);
      answer.set('cache.manifest', JSON.stringify(manifest));
    } catch (error) {
      const ignored = entry.attrs.get('ignore-error');
      if (ignored === undefined || !parseBoolean('ignore-error', ignored)) throw error;
      await build.job.progress.remark([`the cache was not exported: ${messageOf(error)}`]);
    }
  }
  return answer;
}

async function exportTo(
  deps: CacheExportDeps,
  { job, returned, session }: CacheExport,
  { type, attrs }: CacheEntry,
): Promise<Descriptor> {
  const { progress, signal } = job;
  const makeTarget = TARGETS.get(type);
  if (makeTarget === undefined) throw unknownCache(type);
  const shown = type === 'local' ? 'client directory' : type;
  return await progress.step(`exporting cache to ${shown}`, async (step) => {
    const target = await makeTarget(deps, { attrs, session: await session() }, signal);
    const steps = stepsToExport(returned, attrs.get('mode') === 'max' ? 'max' : 'min');
    const blobs = new Map<Digest, Descriptor>();
    const releases: (() => void)[] = [];
    try {
      await step.part('preparing build cache for export', async () => {
        const works = layersOf(steps).map(async ({ descriptor }) => {
          const { descriptor: blob, release } = await deps.images.compressed(descriptor, signal);
          releases.push(release);
          blobs.set(descriptor.digest, blob);
        });
        await Promise.allSettled(works);
        await Promise.all(works);
      });
      const isIndex = attrs.get('image-manifest') === 'false';
      return await writeCache(target, { steps, blobs, isIndex, step }, signal);
    } finally {
      for (const release of releases) release();
    }
  });
}

const TARGETS: ReadonlyMap<
  string,
  (
    deps: RegistryTargetDeps,
    place: { readonly attrs: CacheEntry['attrs']; readonly session: Session },
    signal: AbortSignal,
  ) => Promise<CacheTarget>
> = new Map([
  ['registry', registryTarget],
  ['local', localTarget],
]);

/** Layers, description and manifest, in this order: what is there is whole. */
async function writeCache(
  target: CacheTarget,
  cache: {
    readonly steps: readonly CachedStep[];
    readonly blobs: ReadonlyMap<Digest, Descriptor>;
    /** The form of older builders: an index of layers. */
    readonly isIndex: boolean;
    readonly step: StepProgress;
  },
  signal: AbortSignal,
): Promise<Descriptor> {
  const { steps, blobs, step } = cache;
  const blobOf = ({ descriptor }: BuiltLayer) => blobs.get(descriptor.digest) ?? descriptor;
  const layers = [...new Map(layersOf(steps).map((one) => [blobOf(one).digest, one])).values()];
  for (const layer of layers) {
    const blob = blobOf(layer);
    await step.part(`writing layer ${blob.digest}`, () => target.putLayer(blob, signal));
  }
  const config = Buffer.from(JSON.stringify(toCacheConfig(steps, blobOf)));
  const described = describe(CACHE_CONFIG, config);
  await step.part(`writing config ${described.digest}`, () =>
    target.putDocument(described, config, signal),
  );
  const listed = layers.map((layer) => ({
    ...blobOf(layer),
    annotations: { 'containerd.io/uncompressed': layer.diffId },
  }));
  const mediaType = cache.isIndex ? OCI_INDEX : OCI_MANIFEST;
  const document = cache.isIndex
    ? { schemaVersion: 2, mediaType, manifests: [...listed, described] }
    : { schemaVersion: 2, mediaType, config: described, layers: listed };
  const bytes = Buffer.from(JSON.stringify(document));
  const manifest = describe(mediaType, bytes);
  await step.part(`writing cache image manifest ${manifest.digest}`, () =>
    target.putManifest(manifest, bytes, signal),
  );
  return manifest;
}

const describe = (mediaType: string, bytes: Uint8Array): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});
