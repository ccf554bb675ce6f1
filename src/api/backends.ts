/**
 * What the router needs of the engine, declared by the router and split by role. The engine's services
 * satisfy these interfaces structurally; routes know nothing else of the engine.
 *
 * A `ref` is what the user typed: a name, a full id or a unique prefix. Every method may reject with an
 * `EngineError`; its kind decides the status, its message is the body.
 */
import type { ClassicBuilds } from '../builder/classic-door.ts';
import type { CacheBackend } from '../engine/cache/cache-prune.ts';
import type { CommitRequest } from '../engine/containers/commit-container.ts';
import type { ContainerDocument } from '../engine/containers/container-document.ts';
import type { StatsOptions, StatsSample } from '../engine/containers/container-stats.ts';
import type { EngineEvent } from '../engine/events/engine-event.ts';
import type { CreateExecRequest } from '../engine/exec/create-exec-request.ts';
import type { ExecDocument } from '../engine/exec/exec-document.ts';
import type { ImageView } from '../engine/images/image-view.ts';
import type { SystemInfo } from '../engine/system/system-info.ts';
import type { VolumeDocument } from '../engine/volumes/volume-document.ts';
import type { LogEntry } from '../runtime/log-reader.ts';
import type { ProcessTable } from '../runtime/task-observer.ts';
import type { OutputChunk, StdinSink, TerminalSize } from '../runtime/task-runner.ts';
import type { NameFilePaths } from '../storage/container-files.ts';
import type { PathStat } from '../storage/file-trees.ts';
import type { PathChange } from '../storage/snapshot-diff.ts';
import type { ContainerConfig, HostConfig, NetworkingConfig } from '../wire/container-config.ts';
import type { Filters } from '../wire/filters.ts';
import type { RegistryCredentials } from '../wire/registry-auth.ts';
import type { BuildClientBackend } from './build-client-backend.ts';
import type { ImageBackend } from './image-backend.ts';
import type { NetworkBackend } from './network-backend.ts';

/** A container together with what is only known live. */
export interface ContainerView {
  readonly document: ContainerDocument;
  /** Its links to others, `/target:/parent/alias`. */
  readonly links: readonly string[];
  /** Its names by the links of others, `parent/alias`. */
  readonly linkNames: readonly string[];
  /** Names of the image's tags now, to decide whether the list shows the name or the id. */
  readonly imageStillTagged: boolean;
  readonly logPath: string;
  /** Host paths of the files mounted at `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf`. */
  readonly nameFiles: NameFilePaths;
  /** Process id of the running init process, 0 otherwise. */
  readonly pid: number;
  /** Names and ids of running exec sessions. */
  readonly execIds: readonly string[];
  readonly graphDriver: { readonly name: string; readonly data: Readonly<Record<string, string>> };
  /** Bytes; present when sizes were asked for. */
  readonly sizeRwBytes?: number;
  readonly sizeRootFsBytes?: number;
}

export interface CreateContainerRequest {
  /** Without or with leading slash; undefined for a generated one. */
  readonly name: string | undefined;
  readonly platform: string | undefined;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly networkingConfig: NetworkingConfig;
}

export interface ListContainersOptions {
  readonly all: boolean;
  readonly limit: number | undefined;
  readonly size: boolean;
  readonly filters: Filters;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export interface WaitResult {
  readonly exitCode: number;
  readonly error?: string;
}

export interface LogsOptions {
  readonly follow: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly sinceSeconds: number | undefined;
  readonly untilSeconds: number | undefined;
  readonly tailLines: number | undefined;
}

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Replay what was logged so far. */
  readonly logs: boolean;
  /** Follow new output; false with `logs` gives only the replay. */
  readonly stream: boolean;
  readonly detachKeys: string | undefined;
}

/** An attached client's view of a process. */
export interface AttachSession {
  /** Raw bytes when true, multiplexed frames otherwise. */
  readonly tty: boolean;
  /** Ends when the process has ended and its output is drained, or the detach keys were typed. */
  readonly output: AsyncIterable<OutputChunk>;
  /** Absent when stdin was not asked for or the container has none. */
  readonly stdin?: StdinSink;
  /** The client hung up or everything is sent: lets go of all resources. Idempotent. */
  close(): Promise<void>;
}

export interface ContainerLifecycleBackend {
  create(request: CreateContainerRequest): Promise<{ id: string; warnings: readonly string[] }>;
  start(ref: string): Promise<'started' | 'already-running'>;
  /** `timeoutSeconds` undefined: the container's own default; negative: wait for ever. */
  stop(
    ref: string,
    options: { timeoutSeconds: number | undefined; signal: string | undefined },
  ): Promise<'stopped' | 'not-running'>;
  restart(
    ref: string,
    options: { timeoutSeconds: number | undefined; signal: string | undefined },
  ): Promise<void>;
  kill(ref: string, signal: string | undefined): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  rename(ref: string, newName: string): Promise<void>;
  remove(ref: string, options: { force: boolean; volumes: boolean }): Promise<void>;
  /** Takes away the link `parent/alias`. */
  removeLink(ref: string): Promise<void>;
  /** Resolves as soon as the wait is registered; `result` resolves at the end. */
  wait(
    ref: string,
    condition: WaitCondition,
    signal: AbortSignal,
  ): Promise<{ result: Promise<WaitResult> }>;
  prune(filters: Filters): Promise<{ deleted: readonly string[]; reclaimedBytes: number }>;
}

export interface ContainerQueryBackend {
  list(options: ListContainersOptions): Promise<readonly ContainerView[]>;
  inspect(ref: string, options: { size: boolean }): Promise<ContainerView>;
}

/** A log as it is asked for. */
export interface ContainerOutput {
  /** Raw bytes when true, multiplexed frames otherwise. */
  readonly tty: boolean;
  readonly entries: AsyncIterable<readonly LogEntry[]>;
  /** What `details` shows before each line, escaped; empty for nothing. */
  readonly attributes: string;
}

export interface ContainerStdioBackend {
  attach(ref: string, options: AttachOptions, signal: AbortSignal): Promise<AttachSession>;
  resize(ref: string, size: TerminalSize): Promise<void>;
  logs(ref: string, options: LogsOptions, signal: AbortSignal): Promise<ContainerOutput>;
}

/** Looking into a container, and changing what it may use. */
export interface ContainerObservationBackend {
  /** `psArgs`: options for `ps` between spaces; empty for the usual ones. */
  top(ref: string, psArgs: string): Promise<ProcessTable>;
  /** One sample, or one a second until the container is removed or `signal` aborts. */
  stats(
    ref: string,
    options: StatsOptions,
    signal: AbortSignal,
  ): Promise<AsyncIterable<StatsSample>>;
  /** `change` holds `Resources` and `RestartPolicy` only; zero values change nothing. */
  update(ref: string, change: HostConfig): Promise<{ warnings: readonly string[] }>;
}

export type ContainerBackend = ContainerLifecycleBackend &
  ContainerQueryBackend &
  ContainerObservationBackend &
  ContainerStdioBackend;

/** Files of containers, running or not. Paths are the container's own. */
export interface ContainerFilesBackend {
  stat(ref: string, path: string): Promise<PathStat>;
  /** The stream holds the container's files until it has ended, is left, or `signal` aborts. */
  archive(
    ref: string,
    path: string,
    signal: AbortSignal,
  ): Promise<{ stat: PathStat; tar: AsyncIterable<Uint8Array> }>;
  extract(
    request: {
      readonly ref: string;
      readonly path: string;
      readonly noOverwriteDirNonDir: boolean;
      readonly copyUidGid: boolean;
    },
    archive: AsyncIterable<Uint8Array>,
  ): Promise<void>;
  /** What differs from the image, mounts left out. */
  changes(ref: string): Promise<readonly PathChange[]>;
  /** Makes an image of the container's files. Resolves to its id. */
  commit(request: CommitRequest): Promise<string>;
  /** The root file system without mounts; holds it like `archive`. */
  export(ref: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export interface ExecBackend {
  create(containerRef: string, request: CreateExecRequest): Promise<{ id: string }>;
  /** Checks that the session can start; for errors that must come before the connection is taken over. */
  checkStart(execId: string): void;
  start(
    execId: string,
    options: { consoleSize: TerminalSize | undefined },
    signal: AbortSignal,
  ): Promise<AttachSession>;
  startDetached(execId: string): Promise<void>;
  resize(execId: string, size: TerminalSize): Promise<void>;
  inspect(execId: string): Promise<ExecDocument>;
}

export interface VolumeBackend {
  list(filters: Filters): Promise<readonly VolumeDocument[]>;
  create(request: {
    name: string | undefined;
    driver: string | undefined;
    options: Readonly<Record<string, string>>;
    labels: Readonly<Record<string, string>>;
  }): Promise<VolumeDocument>;
  inspect(name: string): Promise<VolumeDocument>;
  remove(name: string, options: { force: boolean }): Promise<void>;
  prune(filters: Filters): Promise<{ deleted: readonly string[]; reclaimedBytes: number }>;
  /** Absolute host path of the volume's data. */
  mountpoint(name: string): string;
}

/** A container's place in a network, for `network inspect`. */
export interface EventsOptions {
  /** Epoch seconds with fraction. */
  readonly sinceSeconds: number | undefined;
  readonly untilSeconds: number | undefined;
  readonly filters: Filters;
}

export interface SystemBackend {
  info(): Promise<SystemInfo>;
  /** Ends at `until`, or when `signal` aborts. Validates the filters before it returns. */
  events(options: EventsOptions, signal: AbortSignal): AsyncIterable<EngineEvent>;
  diskUsage(): Promise<{
    images: readonly ImageView[];
    containers: readonly ContainerView[];
    volumes: readonly (VolumeDocument & { sizeBytes: number; refCount: number })[];
    layersBytes: number;
  }>;
  /** Checks credentials against a registry. */
  login(credentials: RegistryCredentials): Promise<{ status: string; identityToken: string }>;
}

/** Everything the router is built from. */
export interface Backends {
  readonly containers: ContainerBackend;
  readonly containerFiles: ContainerFilesBackend;
  readonly exec: ExecBackend;
  readonly images: ImageBackend;
  readonly volumes: VolumeBackend;
  readonly networks: NetworkBackend;
  readonly system: SystemBackend;
  readonly buildClients: BuildClientBackend;
  readonly caches: CacheBackend;
  readonly builds: ClassicBuilds;
}
