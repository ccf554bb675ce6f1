/** Which namespaces a container gets of its own (`NetworkMode`, `PidMode`, `IpcMode`, `UTSMode`, `CgroupnsMode`). */
import type { SpecNamespace } from '../../oci/runtime-spec.ts';
import type { HostConfig } from '../../wire/container-config.ts';
import { unsupportedNamespaceMode } from '../runtime-errors.ts';
import type { NetworkNamespace } from '../spec-builder.ts';

/** Namespaces shared with the engine; the rest are the container's own. */
export interface SharedNamespaces {
  readonly pid: boolean;
  readonly ipc: boolean;
  readonly uts: boolean;
  readonly cgroup: boolean;
  /** A new IPC namespace without `/dev/shm` (`IpcMode` `none`). */
  readonly withoutShm: boolean;
}

const IPC_MODES = ['', 'private', 'shareable', 'none', 'host'];

/** `invalid-argument` for a mode that is not offered. */
export function sharedNamespaces(hostConfig: HostConfig): SharedNamespaces {
  const ipc = hostConfig.IpcMode ?? '';
  if (!IPC_MODES.includes(ipc)) throw unsupportedNamespaceMode('IPC', ipc);
  return {
    pid: isHost('PID', hostConfig.PidMode, ['']),
    ipc: ipc === 'host',
    uts: isHost('UTS', hostConfig.UTSMode, ['', 'private']),
    cgroup: isHost('cgroup namespace', hostConfig.CgroupnsMode, ['', 'private']),
    withoutShm: ipc === 'none',
  };
}

/** The list for the runtime. */
export function toSpecNamespaces(
  shared: SharedNamespaces,
  network: NetworkNamespace,
): readonly SpecNamespace[] {
  const own: readonly SpecNamespace[] = [
    { type: 'mount' },
    ...(network.kind === 'path' ? [{ type: 'network', path: network.path } as const] : []),
    ...(['pid', 'ipc', 'uts', 'cgroup'] as const)
      .filter((type) => !shared[type])
      .map((type) => ({ type })),
  ];
  return own;
}

function isHost(option: string, mode: string | undefined, others: readonly string[]): boolean {
  if (mode === 'host') return true;
  if (others.includes(mode ?? '')) return false;
  throw unsupportedNamespaceMode(option, mode ?? '');
}
