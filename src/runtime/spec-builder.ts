/** Port: from a container's settings to the OCI `config.json` and to the process of an exec session. */

import type { KeptId } from '../oci/kept-id.ts';
import type { ExecProcess, RuntimeSpec, SpecMount, SpecUser } from '../oci/runtime-spec.ts';
import type { ContainerConfig, HostConfig } from '../wire/container-config.ts';

/** Where the container's network namespace comes from. */
export type NetworkNamespace =
  | { readonly kind: 'path'; readonly path: string }
  /** Has none of its own (`--network host`): it is in the network that the engine was started in. */
  | { readonly kind: 'host' };

/** Namespaces of other containers that a container joins, and the shared memory that belongs to them. */
export interface JoinedNamespaces {
  /** Absolute path of a pinned PID namespace. */
  readonly pid?: string;
  /** Absolute path of a pinned IPC namespace. */
  readonly ipc?: string;
  /** The container that is joined has the engine's own IPC namespace. */
  readonly ipcIsEngines?: boolean;
  /** Directory to bind at `/dev/shm`; absent when the container gets one that nobody else sees. */
  readonly shmDir?: string;
}

export interface SpecInput {
  readonly id: string;
  /** Config with the image's defaults already merged in: `Cmd`, `Entrypoint`, `Env`, `WorkingDir`, `User`. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly rootfsDir: string;
  readonly network: NetworkNamespace;
  /** Absent when no namespace or shared memory of other containers is involved. */
  readonly joined?: JoinedNamespaces;
  /** Bind mounts, volumes and the generated files (`/etc/hosts`, …), ready to mount, in order. */
  readonly mounts: readonly SpecMount[];
  /** Hostname after defaults. */
  readonly hostname: string;
  /** Absolute host path of a static init program; present when `--init` was asked for. */
  readonly initPath?: string;
  /** The container gets a user namespace of its own, in which these ids are the caller's. */
  readonly keptIds?: KeptId | undefined;
}

export interface ExecProcessInput {
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly rootfsDir: string;
  /** Root as seen by a running process, e.g. `/proc/<pid>/root`, to resolve user names. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly workingDir?: string;
  readonly user?: string;
  readonly privileged: boolean;
  readonly terminal: boolean;
}

export interface SpecBuilder {
  /**
   * Builds the runtime configuration. Resolves the user against `etc/passwd` and `etc/group` of the rootfs
   * (symlinks never leave it). `invalid-argument` with Docker's text for an unknown user, empty command, …
   */
  build(input: SpecInput): Promise<RuntimeSpec>;
  /**
   * One sentence for each setting that this machine bends: the container starts all the same. `invalid-argument`
   * for a ulimit or security option that does not exist and for processors that are not there.
   */
  shortcomings(hostConfig: HostConfig): readonly string[];
  buildExec(input: ExecProcessInput): Promise<ExecProcess>;
  /** Uid, gid and supplementary groups of a `user[:group]` expression inside a rootfs. */
  resolveUser(rootfsDir: string, user: string): Promise<SpecUser>;
}
