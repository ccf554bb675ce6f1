/** What belongs to one build for one platform while it runs. */

import type { Dockerfile } from '../../dockerfile/instruction.ts';
import type { Platform } from '../../oci/platform.ts';
import type { BaseImage } from '../build-images.ts';
import type { BuildProgress } from '../build-progress.ts';
import type { BuilderDeps } from '../builder-deps.ts';
import type { CacheMounts } from '../cache/cache-mounts.ts';
import type { SourceTree } from '../contexts/source-tree.ts';
import type { BuildRequest, CachedStep, Material, RemoteCache } from '../solver.ts';
import type { FileDigests } from '../steps/digest-selection.ts';
import type { PlannedStage, StagePlan } from './plan-stages.ts';
import type { StageState } from './stage-state.ts';
import type { StepReporter } from './step-reporter.ts';

export interface BuildRun {
  readonly deps: BuilderDeps;
  readonly cacheMounts: CacheMounts;
  readonly digests: FileDigests;
  readonly request: BuildRequest;
  readonly dockerfile: Dockerfile;
  readonly plan: StagePlan;
  readonly globals: ReadonlyMap<string, string | undefined>;
  readonly platform: Platform;
  readonly progress: BuildProgress;
  readonly signal: AbortSignal;
  /** Images and caches that are held; let go when the result is. */
  hold(release: () => void): void;
  /** What caches of other places have. */
  readonly caches: readonly RemoteCache[];
  /** A step that has its result. */
  note(step: CachedStep): void;
  /** An image that the result is made from. */
  noteMaterial(material: Material): void;
  /** Has to be done before the result counts. */
  owe(stored: Promise<void>): void;
  /** Undone when the build ends. */
  defer(undo: () => Promise<unknown>): void;
  /** An image, got once. */
  image(ref: string, platform: Platform): Promise<BaseImage>;
  /** The image that a stage begins with, got once; for stages whose base is one. */
  baseImage(planned: PlannedStage): Promise<BaseImage>;
  /** The final state of a stage; starts it if need be. */
  stage(index: number): Promise<StageState>;
  /** Files that `from` means: the context when undefined, a named context, a stage, an image. */
  tree(from: string | undefined): SourceTree;
  reporter(planned: PlannedStage): StepReporter;
}
