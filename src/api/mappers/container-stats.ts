/** Measurements of a container in the shape of Docker's `StatsResponse`, as on a host with version 2 groups. */
import type { StatsSample } from '../../engine/containers/container-stats.ts';
import type {
  BlockDeviceUsage,
  CpuUsage,
  InterfaceTraffic,
  TaskUsage,
} from '../../runtime/task-observer.ts';
import { ZERO_TIME } from '../../shared/clock.ts';

/** The wire's form; complete also for a container that does not run. */
export function toContainerStats({ id, name, readAt, usage, previous }: StatsSample): object {
  return {
    name: `/${name}`,
    id,
    read: readAt,
    preread: previous?.readAt ?? ZERO_TIME,
    pids_stats: pidsStats(usage),
    blkio_stats: blockStats(usage?.blockDevices),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuStats(usage?.cpu),
    precpu_stats: cpuStats(previous?.cpu),
    memory_stats: memoryStats(usage),
    ...networkStats(usage),
  };
}

function pidsStats(usage: TaskUsage | undefined): object {
  if (usage === undefined) return {};
  const { current, limit } = usage.pids;
  return { current, ...(limit === undefined ? {} : { limit }) };
}

function cpuStats(cpu: CpuUsage | undefined): object {
  return {
    cpu_usage: {
      total_usage: cpu?.totalNs ?? 0,
      usage_in_kernelmode: cpu?.kernelNs ?? 0,
      usage_in_usermode: cpu?.userNs ?? 0,
    },
    ...(cpu === undefined ? {} : { system_cpu_usage: cpu.machineNs, online_cpus: cpu.onlineCpus }),
    throttling_data: {
      periods: cpu?.throttling.periods ?? 0,
      throttled_periods: cpu?.throttling.throttledPeriods ?? 0,
      throttled_time: cpu?.throttling.throttledNs ?? 0,
    },
  };
}

function memoryStats(usage: TaskUsage | undefined): object {
  if (usage === undefined) return {};
  const { usageBytes, limitBytes, parts } = usage.memory;
  return { usage: usageBytes, stats: parts, limit: limitBytes };
}

/** Only the first list exists with version 2 groups; Docker writes the others as null. */
function blockStats(devices: readonly BlockDeviceUsage[] | undefined): object {
  return {
    io_service_bytes_recursive:
      devices?.flatMap(({ major, minor, readBytes, writtenBytes }) => [
        { major, minor, op: 'read', value: readBytes },
        { major, minor, op: 'write', value: writtenBytes },
      ]) ?? null,
    io_serviced_recursive: null,
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  };
}

/** Left out for a container without interfaces of its own. */
function networkStats(usage: TaskUsage | undefined): object {
  const entries = Object.entries(usage?.networks ?? {});
  if (entries.length === 0) return {};
  return {
    networks: Object.fromEntries(entries.map(([name, traffic]) => [name, toTraffic(traffic)])),
  };
}

function toTraffic({ received, sent }: InterfaceTraffic): object {
  return {
    rx_bytes: received.bytes,
    rx_packets: received.packets,
    rx_errors: received.errors,
    rx_dropped: received.dropped,
    tx_bytes: sent.bytes,
    tx_packets: sent.packets,
    tx_errors: sent.errors,
    tx_dropped: sent.dropped,
  };
}
