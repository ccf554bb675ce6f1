/** What exporters work with. */
import type { ArchiveWriter } from '../../../distribution/image-archive.ts';
import type { ImageRegistry } from '../../../distribution/image-registry.ts';
import type { Platform } from '../../../oci/platform.ts';
import type { ImageReference } from '../../../oci/reference.ts';
import type { Clock } from '../../../shared/clock.ts';
import type { ContentStore } from '../../../storage/content-store.ts';
import type { FileTrees } from '../../../storage/file-trees.ts';
import type { Snapshotter } from '../../../storage/snapshotter.ts';
import type { ProgressMessage } from '../../../wire/json-stream.ts';
import type { RegistryCredentials } from '../../../wire/registry-auth.ts';
import type { BuildImages } from '../../build-images.ts';
import type { ResultRef } from '../build/build-job.ts';
import type { ClientProgress, StepProgress } from '../build/client-progress.ts';
import type { Session } from '../session/session-registry.ts';
import type { Attest } from './image-set.ts';

/** Sends an image that is in the store to its registry; the lines are those of `docker push`. */
export type PushImage = (
  reference: ImageReference,
  credentials: RegistryCredentials | undefined,
  signal: AbortSignal,
) => AsyncIterable<ProgressMessage>;

export interface ExportDeps {
  readonly images: BuildImages;
  readonly content: ContentStore;
  readonly archives: ArchiveWriter;
  readonly snapshots: Snapshotter;
  readonly trees: FileTrees;
  readonly push: PushImage;
  readonly registry: ImageRegistry;
  /** What the image's name stands for among those of several platforms. */
  readonly platform: Platform;
  readonly clock: Clock;
}

/** One output of a build. */
export interface Export {
  /** Position among the build's outputs; the client knows its own end by it. */
  readonly index: number;
  readonly type: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly refs: readonly ResultRef[];
  readonly progress: ClientProgress;
  /** Makes what is said about images of these names; undefined when nothing is. */
  readonly attest: ((names: readonly ImageReference[]) => Attest) | undefined;
  session(): Promise<Session>;
  readonly signal: AbortSignal;
}

/** An output under way, shown as one step. */
export interface ExportRun extends Export {
  readonly step: StepProgress;
}

/** What the client is told of an output, by BuildKit's names. */
export type ExportAnswer = ReadonlyMap<string, string>;
