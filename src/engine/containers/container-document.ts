/** What is stored of a container: the request as the client sent it, and its status. */

import type { Endpoint, PublishedPort } from '../../network/sandbox-service.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import type { TaskRecord } from '../../runtime/task-runner.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerConfig, EndpointSettings, HostConfig } from '../../wire/container-config.ts';
import type { HealthRecord } from '../health/health-record.ts';

/** How the last run ended. */
export interface ExitFacts {
  readonly exitCode: number;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly oomKilled: boolean;
  /** Text for `State.Error`; empty when the process simply ended. */
  readonly error: string;
}

/** The network of a running container. */
export interface NetworkFacts {
  readonly netnsPath: string;
  readonly endpoints: readonly Endpoint[];
  readonly published: readonly PublishedPort[];
}

/** Status of a container; the wire's status words are derived from it in one mapper. */
export type ContainerStatus =
  | { readonly state: 'created'; readonly error?: string; readonly exitCode?: number }
  | {
      readonly state: 'starting';
      readonly before: 'created' | 'exited' | 'restarting';
      readonly last?: ExitFacts;
    }
  | {
      readonly state: 'running' | 'stopping';
      readonly task: TaskRecord;
      /** Absent until the kernel kills a process of this run for want of memory. */
      readonly oomKilled?: boolean;
      readonly network: NetworkFacts | undefined;
      /** When the run before this one ended; absent in the first. RFC 3339. */
      readonly previousEnd?: string;
    }
  | {
      readonly state: 'paused';
      /** These are as of a running one. */
      readonly task: TaskRecord;
      readonly oomKilled?: boolean;
      readonly network: NetworkFacts | undefined;
      readonly previousEnd?: string;
      /** Only for as long as a verb of the engine's needs it: nobody asked for it to last. */
      readonly passing?: boolean;
    }
  | { readonly state: 'exited'; readonly last: ExitFacts }
  /** Has ended and waits for the restart that its policy asks for. */
  | { readonly state: 'restarting'; readonly last: ExitFacts }
  | {
      readonly state: 'removing';
      readonly last?: ExitFacts;
      /** Its anonymous volumes go with it. */
      readonly volumes?: boolean;
    }
  | { readonly state: 'dead'; readonly last?: ExitFacts };

/** A mount of the container, resolved at create time. */
export interface MountPoint {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'image';
  /** Volume name; empty for other types. */
  readonly name: string;
  /** Host path; empty for tmpfs, the reference as given for an image. */
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  /** Mode text as given (`ro`, `z`, …), for inspect. */
  readonly mode: string;
  readonly propagation: string;
  /** Mount options for tmpfs, e.g. `size=64m`. */
  readonly tmpfsOptions: string;
  /** True for a volume that was made without a name: removed with `rm -v` and `--rm` by the last that has it. */
  readonly anonymous: boolean;
  /** The image that is mounted, and the chainID of its files (undefined for one without layers). */
  readonly imageId?: Digest;
  readonly chainId?: Digest;
  /** Path within the volume or image that is mounted instead of all of it. */
  readonly subpath?: string;
  /** The volume is not filled from the image. */
  readonly noCopy?: boolean;
  /** What is mounted below the source stays away. */
  readonly nonRecursive?: boolean;
  /** What is mounted below the source stays writable. */
  readonly readOnlyNonRecursive?: boolean;
}

/** The intent to join or leave a network: which of the two came to pass is seen at the endpoints. */
export interface NetworkChange {
  readonly networkId: string;
  readonly networkName: string;
  readonly settings: EndpointSettings;
}

/** Another container, and the name that it is known by. */
export interface ContainerLink {
  readonly id: ContainerId;
  readonly alias: string;
}

export interface ContainerDocument {
  readonly v: 1;
  readonly id: ContainerId;
  /** Without the leading slash. */
  readonly name: string;
  readonly createdAt: string;
  /** The image reference as the client named it. */
  readonly imageRef: string;
  /** Digest of the image config. */
  readonly imageId: Digest;
  /** The manifest of the image, with its platform; absent in documents of earlier versions. */
  readonly imageManifest?: Descriptor;
  /** chainID that the root file system is stacked on; null for an image without layers. */
  readonly parentChainId: Digest | null;
  /** Config with the image's defaults merged in. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** Endpoint settings by network name, as asked for. */
  readonly endpointSettings: Readonly<Record<string, EndpointSettings>>;
  /** A network that the running container is just joining or leaving. */
  readonly networkChange?: NetworkChange;
  readonly mounts: readonly MountPoint[];
  /** Links (`--link`); `hostConfig` has them no more. */
  readonly links?: readonly ContainerLink[];
  readonly runtimeName: string;
  /** Restarts by the policy since the container was last started by hand. */
  readonly restartCount: number;
  /** Milliseconds that the last restart by the policy waited; absent before the first. */
  readonly restartDelayMs?: number;
  /** True from `stop` or `kill` until the next start: the policy does not restart the container. */
  readonly hasBeenManuallyStopped?: boolean;
  /** Present once a container with a health check has been started. */
  readonly health?: HealthRecord;
  readonly status: ContainerStatus;
}
