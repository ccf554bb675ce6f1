/** `POST /containers/{id}/update`. */
import { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { HostConfig } from '../../wire/container-config.ts';
import { checkRestartPolicy } from './check-create-request.ts';
import { checkResources } from './check-resources.ts';
import { type ContainerDeps, reportCleanup } from './container-deps.ts';
import type { ContainerDocument, ContainerStatus } from './container-document.ts';
import { cannotUpdate } from './container-errors.ts';
import { publishContainerEvent } from './container-events.ts';
import { liveStatus } from './container-status.ts';

/** The limits that can be changed after create; whatever has its zero value stays as it is. */
const CHANGEABLE = [
  'BlkioDeviceReadBps',
  'BlkioDeviceReadIOps',
  'BlkioDeviceWriteBps',
  'BlkioDeviceWriteIOps',
  'BlkioWeight',
  'BlkioWeightDevice',
  'CpuPeriod',
  'CpuQuota',
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
  'CgroupParent',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
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
  deps: UpdateDeps,
  ref: string,
  change: HostConfig,
): Promise<{ readonly warnings: readonly string[] }> {
  checkRestartPolicy(change);
  checkResources(change, true);
  const warnings = deps.specs.shortcomings(givenLimits(change));
  const { id } = deps.registry.resolve(ref);
  const limits = givenLimits(change);
  const later = await deps.locks.run(id, async () => {
    const refusal = refusalOf(deps.registry.get(id), change);
    if (refusal !== undefined) throw cannotUpdate(id, refusal);
    const policy = change.RestartPolicy?.Name ? { RestartPolicy: change.RestartPolicy } : {};
    const ofNow = await changeSettings(deps, id, { ...limits, ...policy });
    publishContainerEvent(deps, deps.registry.get(id), { action: 'update' });
    return ofNow;
  });
  return { warnings: [...warnings, ...later, ...fixedWarnings(change)] };
}

type UpdateDeps = Pick<
  ContainerDeps,
  'registry' | 'locks' | 'events' | 'specs' | 'tasks' | 'logger'
>;

/** Stores the settings and then sets the limits of a container that runs. What the kernel refuses is taken back. */
async function changeSettings(
  deps: UpdateDeps,
  id: ContainerId,
  change: HostConfig,
): Promise<readonly string[]> {
  const { hostConfig: before, status } = deps.registry.get(id);
  const store = (hostConfig: HostConfig) =>
    deps.registry.update(id, (document) => ({ ...document, hostConfig }));
  const after = { ...before, ...change };
  await using undo = new CleanupStack(reportCleanup(deps, id));
  await store(after);
  undo.defer(() => store(before));
  const warnings = await limitLive(deps, status, { before, after });
  undo.release();
  return warnings;
}

/** On failure the limits are as they were. */
async function limitLive(
  deps: UpdateDeps,
  status: ContainerStatus,
  { before, after }: { readonly before: HostConfig; readonly after: HostConfig },
): Promise<readonly string[]> {
  const live = liveStatus(status);
  if (live === undefined) return [];
  try {
    return await deps.tasks.limit(live.task, after);
  } catch (error) {
    await deps.tasks.limit(live.task, before);
    throw error;
  }
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
