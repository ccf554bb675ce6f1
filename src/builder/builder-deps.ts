/** What the solver works with. Built once in the composition root. */
import type { Downloads } from '../distribution/downloads.ts';
import type { ImageRegistry } from '../distribution/image-registry.ts';
import type { OpenHostProxy } from '../network/host-proxy.ts';
import type { NameFileContents, NameFileInput } from '../network/name-files.ts';
import type { SandboxService } from '../network/sandbox-service.ts';
import type { Platform } from '../oci/platform.ts';
import type { LogReader } from '../runtime/log-reader.ts';
import type { SpecBuilder } from '../runtime/spec-builder.ts';
import type { TaskRunner } from '../runtime/task-runner.ts';
import type { Clock } from '../shared/clock.ts';
import type { Failpoints } from '../shared/failpoints.ts';
import type { Logger } from '../shared/logger.ts';
import type { ContentStore } from '../storage/content-store.ts';
import type { FileTrees } from '../storage/file-trees.ts';
import type { Snapshotter } from '../storage/snapshotter.ts';
import type { TreeCopier } from '../storage/tree-copier.ts';
import type { BuildImages } from './build-images.ts';
import type { LayerCache } from './cache/layer-cache.ts';

export interface BuilderDeps {
  readonly snapshots: Snapshotter;
  readonly content: ContentStore;
  readonly trees: FileTrees;
  readonly copier: TreeCopier;
  readonly images: BuildImages;
  readonly tasks: TaskRunner;
  readonly logs: LogReader;
  readonly specs: SpecBuilder;
  readonly sandboxes: SandboxService;
  readonly renderNameFiles: (input: NameFileInput) => NameFileContents;
  readonly cache: LayerCache;
  /** Fetches what ADD names. */
  readonly downloads: Downloads;
  /** Where caches of other machines are. */
  readonly registry: ImageRegistry;
  /** For programs that fetch by themselves. */
  readonly openHostProxy: OpenHostProxy;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly failpoints: Failpoints;
  /** What images are built for unless the client says otherwise. */
  readonly platform: Platform;
  readonly runtimeName: string;
  readonly dirs: BuilderDirs;
}

export interface BuilderDirs {
  /** Files of running builds, `<id>/…`; emptied at start. */
  readonly work: string;
  /** Directories of `RUN --mount=type=cache`. */
  readonly cacheMounts: string;
  /** On a file system in memory: secrets, sockets of ssh agents. */
  readonly secrets: string;
}
