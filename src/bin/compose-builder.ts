/** Builds what makes images: solver, cache, classic door. */
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuilderDeps } from '../builder/builder-deps.ts';
import type { ReceiveContext } from '../builder/buildkit/frontend/remote-context.ts';
import { ContextStore } from '../builder/buildkit/session/context-store.ts';
import type { CacheDocument } from '../builder/cache/cache-document.ts';
import { decodeCacheDocument } from '../builder/cache/cache-document.ts';
import { CacheMounts } from '../builder/cache/cache-mounts.ts';
import { LayerCache } from '../builder/cache/layer-cache.ts';
import { StoredCache } from '../builder/cache/stored-cache.ts';
import { ClassicDoor } from '../builder/classic/classic-builds.ts';
import { receiveContext } from '../builder/classic/receive-context.ts';
import { DockerfileSolver } from '../builder/dockerfile-solver.ts';
import type { Solver } from '../builder/solver.ts';
import type { ContainerDeps } from '../engine/containers/container-deps.ts';
import type { ImageService } from '../engine/images/image-service.ts';
import { Collection } from '../state/collection.ts';
import { FIRST_VERSION } from '../state/migrations.ts';
import type { ContentStore } from '../storage/content-store.ts';
import { InRootCopier } from '../storage/copy-tree/in-root-copier.ts';
import type { FileTrees } from '../storage/file-trees.ts';
import { machinePlatform, openHostProxy, openRegistry } from './compose-images.ts';
import type { DamageReport } from './damage-report.ts';
import type { EngineParts } from './engine-composition.ts';

/** Records of the cache; opened before the images, which keep what they name. */
export function openBuildCache(
  { dataPaths }: EngineParts,
  damage: DamageReport,
): Promise<Collection<CacheDocument>> {
  return Collection.open({
    dir: dataPaths.buildCacheDir,
    corruptDir: dataPaths.corruptDir,
    onQuarantined: damage.add,
    migrations: FIRST_VERSION,
    decode: decodeCacheDocument,
  });
}

export interface BuilderParts {
  readonly deps: ContainerDeps;
  readonly images: ImageService;
  readonly content: ContentStore;
  readonly trees: FileTrees;
  readonly documents: Collection<CacheDocument>;
  /** Called after each build, which may have put much into the cache. */
  readonly onBuilt: () => void;
}

export type ComposedBuilder = Awaited<ReturnType<typeof composeBuilder>>;

/** The solver and its doors. What builds of an earlier engine left in the work directory goes. */
export async function composeBuilder(parts: EngineParts, made: BuilderParts) {
  const { dataPaths, runtimePaths, clock, failpoints, logger } = parts;
  const { snapshots, sandboxes, specs, tasks, logs, renderNameFiles, settings } = made.deps;
  const { documents, content } = made;
  await emptied(dataPaths.buildsDir, 0o711);
  await emptied(runtimePaths.buildSecretsDir, 0o700);
  await mkdir(dataPaths.cacheMountsDir, { recursive: true, mode: 0o711 });
  const images = made.images.forBuilds();
  const hold: typeof images.hold = (digests) => images.hold(digests);
  const cache = new LayerCache({ documents, snapshots, content, hold, clock, logger });
  const mounts = new CacheMounts({ documents, dir: dataPaths.cacheMountsDir, clock });
  const { registry, downloads } = openRegistry(parts);
  const deps: BuilderDeps = {
    ...{ snapshots, content, images, tasks, logs, specs, sandboxes, renderNameFiles, cache },
    ...{ clock, logger, failpoints, trees: made.trees },
    copier: new InRootCopier(),
    ...{ registry, downloads },
    openHostProxy: () => openHostProxy(parts),
    platform: machinePlatform(),
    runtimeName: settings.defaultRuntime,
    dirs: {
      work: dataPaths.buildsDir,
      cacheMounts: dataPaths.cacheMountsDir,
      secrets: runtimePaths.buildSecretsDir,
    },
  };
  const dockerfiles = new DockerfileSolver(deps, mounts);
  const solver: Solver = {
    lint: (build) => dockerfiles.lint(build),
    solve: (...build) => dockerfiles.solve(...build).finally(made.onBuilt),
  };
  const storedCache = new StoredCache({
    documents,
    cacheMountsDir: dataPaths.cacheMountsDir,
    images,
    isInUse: (id) => cache.isInUse(id) || mounts.isInUse(id),
  });
  const contexts = new ContextStore(dataPaths.buildContextsDir, logger);
  await contexts.recover();
  const door = new ClassicDoor(deps, solver);
  const receive: ReceiveContext = (request, from) => receiveContext(deps, request, from);
  return { solver, images, registry, cache: storedCache, contexts, door, receive };
}

async function emptied(dir: string, mode: number): Promise<void> {
  await mkdir(dir, { recursive: true, mode });
  await chmod(dir, mode);
  for (const name of await readdir(dir))
    await rm(join(dir, name), { recursive: true, force: true });
}
