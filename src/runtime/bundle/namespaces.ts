/** Which namespaces a container gets of its own (`NetworkMode`, `PidMode`, `IpcMode`, `UTSMode`, `CgroupnsMode`). */
import type { SpecNamespace } from '../../oci/runtime-spec.ts';
import type { HostConfig } from '../../wire/container-config.ts';
import { unsupportedNamespaceMode } from '../runtime-errors.ts';
import type { JoinedNamespaces, NetworkNamespace } from '../spec-builder.ts';

/** Namespaces shared with the engine; the rest are the container's own, or those of another container. */
export interface SharedNamespaces {
  readonly pid: boolean;
  readonly ipc: boolean;
  readonly uts: boolean;
  readonly cgroup: boolean;
  /** A new IPC namespace without `/dev/shm` (`IpcMode` `none`). */
  readonly withoutShm: boolean;
}

const IPC_MODES = ['', 'private', 'shareable', 'none', 'host'];

/** `invalid-argument` for a mode that is not offered, and for one that names a container which nobody looked up. */
export function sharedNamespaces(
  hostConfig: HostConfig,
  joined: JoinedNamespaces,
): SharedNamespaces {
  const ipc = hostConfig.IpcMode ?? '';
  const joinsIpc = joined.ipc !== undefined;
  if (!(joinsIpc || joined.ipcIsEngines === true || IPC_MODES.includes(ipc))) {
    throw unsupportedNamespaceMode('IPC', ipc);
  }
  return {
    pid: joined.pid === undefined && isHost('PID', hostConfig.PidMode, ['']),
    ipc: ipc === 'host' || joined.ipcIsEngines === true,
    uts: isHost('UTS', hostConfig.UTSMode, ['', 'private']),
    cgroup: isHost('cgroup namespace', hostConfig.CgroupnsMode, ['', 'private']),
    withoutShm: ipc === 'none',
  };
}

/** The list for the runtime. */
export function toSpecNamespaces(
  shared: SharedNamespaces,
  network: NetworkNamespace,
  joined: JoinedNamespaces,
): readonly SpecNamespace[] {
  const paths: Partial<Record<SpecNamespace['type'], string>> = {
    ...(joined.pid === undefined ? {} : { pid: joined.pid }),
    ...(joined.ipc === undefined ? {} : { ipc: joined.ipc }),
  };
  const own: readonly SpecNamespace[] = [
    { type: 'mount' },
    ...(network.kind === 'path' ? [{ type: 'network', path: network.path } as const] : []),
    ...(['pid', 'ipc', 'uts', 'cgroup'] as const)
      .filter((type) => !shared[type])
      .map((type) => withPath(type, paths[type])),
  ];
  return own;
}

function withPath(type: SpecNamespace['type'], path: string | undefined): SpecNamespace {
  return path === undefined ? { type } : { type, path };
}

function isHost(option: string, mode: string | undefined, others: readonly string[]): boolean {
  if (mode === 'host') return true;
  if (others.includes(mode ?? '')) return false;
  throw unsupportedNamespaceMode(option, mode ?? '');
}
