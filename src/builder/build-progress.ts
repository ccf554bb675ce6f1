/** Port: what a running build tells. Calls never block and never throw; a door turns them into its own stream. */
import type { BuildWarning } from '../dockerfile/source-place.ts';
import type { Digest } from '../oci/digest.ts';

/** One piece of work that the client shows as a line. */
export interface Vertex {
  /** Names the vertex in later updates. The same work has the same digest. */
  readonly digest: Digest;
  /** As it is shown: `[build 2/5] RUN make`, `[internal] load build context`. */
  readonly name: string;
  /** Vertexes that come before it. */
  readonly inputs: readonly Digest[];
}

/** Times are RFC 3339 with nanoseconds. */
export type VertexUpdate =
  | { readonly kind: 'announced'; readonly vertex: Vertex }
  | { readonly kind: 'started'; readonly vertex: Vertex; readonly at: string }
  | {
      readonly kind: 'completed';
      readonly vertex: Vertex;
      readonly startedAt: string;
      readonly at: string;
      readonly cached: boolean;
      /** Why it failed. */
      readonly error?: string;
    };

/** How far a part of a vertex is (a layer being fetched, a context being read). */
export interface VertexStatus {
  readonly vertex: Digest;
  /** What is shown: `transferring context`, a layer's digest. */
  readonly id: string;
  readonly current: number;
  /** 0 when it is not known. */
  readonly total: number;
  readonly startedAt: string;
  /** Undefined while it goes on. */
  readonly completedAt: string | undefined;
}

export interface VertexLog {
  readonly vertex: Digest;
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
  readonly at: string;
}

/** An instruction of the Dockerfile that begins, for doors that count steps (`Step 2/5 : RUN make`). */
export interface BuildStep {
  /** From 1 on, over all stages that are built. */
  readonly number: number;
  readonly total: number;
  /** The instruction as it is shown, variables expanded. */
  readonly text: string;
  readonly stage: number;
}

/** How a step ended. */
export interface BuildStepEnd {
  readonly step: BuildStep;
  readonly cached: boolean;
  /** Stands for the state after the step; undefined for the empty one of `FROM scratch`. */
  readonly stateId: Digest | undefined;
}

export interface BuildProgress {
  vertex(update: VertexUpdate): void;
  status(status: VertexStatus): void;
  log(log: VertexLog): void;
  warn(warning: BuildWarning): void;
  stepStarted(step: BuildStep): void;
  /** Output of a step that has started and not ended. Steps of different stages run at the same time. */
  stepOutput(step: BuildStep, log: VertexLog): void;
  stepEnded(end: BuildStepEnd): void;
}
