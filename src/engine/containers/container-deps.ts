/** What the verbs of containers work with. Built once in the composition root. */

import type { SandboxService } from '../../network/sandbox-service.ts';
import type { Digest } from '../../oci/digest.ts';
import type { LogKeeper } from '../../runtime/log-keeper.ts';
import type { LogReader } from '../../runtime/log-reader.ts';
import type { SpecBuilder } from '../../runtime/spec-builder.ts';
import type { TaskObserver } from '../../runtime/task-observer.ts';
import type { TaskRunner } from '../../runtime/task-runner.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Failpoints } from '../../shared/failpoints.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { Logger } from '../../shared/logger.ts';
import type { ContainerFiles, NameFiles } from '../../storage/container-files.ts';
import type { Snapshotter } from '../../storage/snapshotter.ts';
import type { MountForm, PinPlace } from '../../storage/volume-files.ts';
import type { HostConfig } from '../../wire/container-config.ts';
import type { EventBus } from '../events/event-bus.ts';
import type { ImageCommit } from '../images/commit-image.ts';
import type { ImageView } from '../images/image-view.ts';
import type { SharedPlaces } from '../shared-places.ts';
import type { VolumeUse } from '../volumes/volume-service.ts';
import type { ContainerRegistry } from './container-registry.ts';
import type { ContainerSignals } from './container-signals.ts';
import type { MountVolumes } from './resolve-mounts.ts';
import type { RestartTimers } from './restart-timers.ts';

/** What containers ask of images. */
export interface ContainerImages {
  /** `not-found` with `No such image: x`. */
  resolve(ref: string): Promise<ImageView>;
  /** True while `ref` still names this image. */
  stillNames(ref: string, imageId: string): boolean;
  /** Makes an image of a layer on top of another image. Resolves to its id. */
  commit(commit: ImageCommit): Promise<Digest>;
  /** A container of the image is gone: frees what an image removed before it left behind. */
  releaseImage(imageId: Digest): Promise<void>;
}

/** A volume that goes when the container that it was made for does not come to be. */
export interface UnfinishedVolume {
  readonly name: string;
  readonly madeFor?: ContainerId;
}

/** What containers ask of volumes. */
export interface ContainerVolumes extends MountVolumes {
  /** Removes a volume unless a container other than `owner` has it. */
  removeUnused(name: string, owner?: ContainerId): Promise<void>;
  /** Volumes that were made for a container whose creation nobody has finished. */
  unfinished(): readonly UnfinishedVolume[];
  /** The container that the volumes were made for exists: they stay from now on. */
  keep(names: readonly string[]): Promise<void>;
  /** Mounts the volume and pins the path within it. Returns the host path to bind. */
  attach(use: VolumeUse): Promise<string>;
  /** Binds a path inside of `root` where symlinks cannot lead it out. Returns the host path to bind. */
  pin(root: string, subpath: string, at: PinPlace): Promise<string>;
  /** A host path that shows `source` in a form which the runtime's mount cannot give it. */
  reform(source: string, form: MountForm, at: PinPlace): Promise<string>;
  /** Keeps the namespace that a link of `/proc` names. Returns the path to join it by. */
  pinNamespace(path: string, at: PinPlace): Promise<string>;
  /** Memory for several containers, made when it is not there. Returns the host path to bind. */
  sharedMemory(sizeBytes: number, at: PinPlace): Promise<string>;
  /** Undoes everything above of the container; the names are those of its volumes. */
  detach(containerId: ContainerId, names: readonly string[]): Promise<void>;
}

/** What the generated name files of a container depend on. */
export interface NameFileRequest {
  readonly hostname: string;
  readonly domainname: string;
  /** The container's own addresses; none for `none` and for shared namespaces. */
  readonly ipAddresses: readonly string[];
  /** Address and names of each linked container. */
  readonly links: readonly (readonly [string, string])[];
  /** True when the engine answers for names inside of the container. */
  readonly nameService: boolean;
  readonly hostConfig: HostConfig;
  /** True when the container uses the engine's own namespace. */
  readonly hostNetwork: boolean;
}

export interface ContainerSettings {
  readonly defaultRuntime: string;
  /** The mode of containers that name none: `host`, or `keep-id` with or without ids. */
  readonly defaultUserns: string;
  readonly runtimeNames: readonly string[];
  /** Static init for `--init`; undefined when this host has none. */
  readonly initPath: string | undefined;
  /** Driver and options of logs for containers that name none. */
  readonly log: {
    readonly driver: string | undefined;
    readonly options: Readonly<Record<string, string>>;
  };
  /** The machine's own host name, for `--network host`. */
  readonly hostHostname: string;
  /** Why containers reach little of the outside; undefined when they reach all of it. */
  readonly networkLack: string | undefined;
  readonly sharedPlaces: SharedPlaces;
}

/** What containers ask of health checks. */
export interface ContainerHealth {
  /** Probes a running container from now on, if it has a health check. */
  begin(id: ContainerId): void;
  /** Stops probing; a probe under way is not recorded. */
  end(id: ContainerId): void;
  /** The engine ends: nothing is probed or recorded any more. */
  close(): void;
}

export interface ContainerDeps {
  readonly registry: ContainerRegistry;
  readonly locks: KeyedMutex<ContainerId>;
  readonly signals: ContainerSignals;
  readonly tasks: TaskRunner;
  readonly observer: TaskObserver;
  readonly logs: LogReader;
  readonly logKeeper: LogKeeper;
  readonly specs: SpecBuilder;
  readonly snapshots: Snapshotter;
  readonly sandboxes: SandboxService;
  readonly images: ContainerImages;
  readonly volumes: ContainerVolumes;
  readonly files: ContainerFiles;
  readonly renderNameFiles: (request: NameFileRequest) => NameFiles;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly failpoints: Failpoints;
  readonly settings: ContainerSettings;
  /** Containers whose end must not remove them although they ask for it: they are being restarted. */
  readonly keptOnExit: Set<ContainerId>;
  readonly restarts: RestartTimers;
  readonly health: ContainerHealth;
}

/** Reports a failed clean-up step: the operation's own error is the one that the client sees. */
export const reportCleanup =
  (deps: Pick<ContainerDeps, 'logger'>, id: ContainerId) =>
  (error: unknown): void =>
    deps.logger.warn('clean-up step failed', { container: id, error });
