/** `POST /containers/{id}/update`. */
import type { HostConfig } from '../../wire/container-config.ts';
import { checkRestartPolicy } from './check-create-request.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { cannotUpdate } from './container-errors.ts';
import { publishContainerEvent } from './container-events.ts';
import { limitWarnings } from './limit-warnings.ts';

/** The limits that can be changed after create; whatever has its zero value stays as it is. */
const CHANGEABLE = [
  'BlkioWeight',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpuShares',
  'CpusetCpus',
  'CpusetMems',
  'Memory',
  'MemoryReservation',
  'MemorySwap',
  'NanoCpus',
  'PidsLimit',
] as const satisfies readonly (keyof HostConfig)[];

type Limits = Pick<HostConfig, (typeof CHANGEABLE)[number]>;

/** Resources that Docker's API accepts here and that are settled when a container is created. */
const FIXED = [
  'BlkioDeviceReadBps',
  'BlkioDeviceReadIOps',
  'BlkioDeviceWriteBps',
  'BlkioDeviceWriteIOps',
  'BlkioWeightDevice',
  'CgroupParent',
  'DeviceCgroupRules',
  'DeviceRequests',
  'Devices',
  'MemorySwappiness',
  'OomKillDisable',
  'Ulimits',
] as const satisfies readonly (keyof HostConfig)[];

/**
 * Changes limits and restart policy of a container in any state; the new policy counts from its next end on.
 * `change` holds what is to change, of `Resources` and `RestartPolicy` only. Says what has no effect.
 * `invalid-argument` for a policy that does not exist, `conflict` for a change that the other settings forbid.
 */
export async function updateContainer(
  deps: Pick<ContainerDeps, 'registry' | 'locks' | 'events'>,
  ref: string,
  change: HostConfig,
): Promise<{ readonly warnings: readonly string[] }> {
  checkRestartPolicy(change);
  const { id } = deps.registry.resolve(ref);
  const limits = givenLimits(change);
  await deps.locks.run(id, async () => {
    const refusal = refusalOf(deps.registry.get(id), change);
    if (refusal !== undefined) throw cannotUpdate(id, refusal);
    const policy = change.RestartPolicy?.Name ? change.RestartPolicy : undefined;
    const document = await deps.registry.update(id, (before) => ({
      ...before,
      hostConfig: {
        ...before.hostConfig,
        ...limits,
        ...(policy === undefined ? {} : { RestartPolicy: policy }),
      },
    }));
    publishContainerEvent(deps, document, { action: 'update' });
  });
  return { warnings: [...limitWarnings(limits), ...fixedWarnings(change)] };
}

function givenLimits(change: HostConfig): Limits {
  const given = CHANGEABLE.filter((name) =>
    name === 'PidsLimit' ? (change[name] ?? null) !== null : Boolean(change[name]),
  );
  const limits: Limits = Object.fromEntries(given.map((name) => [name, change[name]]));
  // Every value below 1 means "unlimited".
  return (limits.PidsLimit ?? 1) > 0 ? limits : { ...limits, PidsLimit: 0 };
}

function fixedWarnings(change: HostConfig): readonly string[] {
  return FIXED.filter((name) => isSet(change[name])).map(
    (name) => `The update of ${name} is discarded: it can only be set when a container is created.`,
  );
}

function isSet(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** Docker's reasons, in its order and words. */
function refusalOf({ status, hostConfig }: ContainerDocument, change: HostConfig) {
  if (status.state === 'removing' || status.state === 'dead') {
    return 'container is marked for removal and cannot be "update"';
  }
  return (
    cpuRefusal(hostConfig, change) ??
    memoryRefusal(hostConfig, change) ??
    policyRefusal(hostConfig, change)
  );
}

function cpuRefusal(before: HostConfig, change: HostConfig): string | undefined {
  const refuse = (option: string, set: string) =>
    `Conflicting options: ${option} cannot be updated as ${set} has already been set`;
  const isOn = (value: number | undefined) => (value ?? 0) > 0;
  if (isOn(change.NanoCpus) && isOn(before.CpuPeriod)) return refuse('Nano CPUs', 'CPU Period');
  if (isOn(change.NanoCpus) && isOn(before.CpuQuota)) return refuse('Nano CPUs', 'CPU Quota');
  if (isOn(change.CpuPeriod) && isOn(before.NanoCpus)) return refuse('CPU Period', 'NanoCPUs');
  if (isOn(change.CpuQuota) && isOn(before.NanoCpus)) return refuse('CPU Quota', 'NanoCPUs');
  return undefined;
}

/** Memory and swap together are twice the memory unless they were set, and nothing without a memory limit. */
function memoryRefusal(before: HostConfig, change: HostConfig): string | undefined {
  const swap = before.MemorySwap || 2 * (before.Memory ?? 0);
  if (change.MemorySwap || (change.Memory ?? 0) <= Math.max(swap, 0)) return undefined;
  return 'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time';
}

function policyRefusal(before: HostConfig, change: HostConfig): string | undefined {
  const name = change.RestartPolicy?.Name ?? '';
  if (before.AutoRemove !== true || name === '' || name === 'no') return undefined;
  return 'Restart policy cannot be updated because AutoRemove is enabled for the container';
}
