/**
 * Port: looking at running tasks from outside. It changes nothing and keeps nothing; every method may be called at
 * any time and any number of times at once.
 */
import type { TaskRecord } from './task-runner.ts';

/** Processes as a table, the way `ps` prints them. */
export interface ProcessTable {
  readonly titles: readonly string[];
  /** One row for each process, as many cells as there are titles. */
  readonly processes: readonly (readonly string[])[];
}

/** Time on processors, in nanoseconds since the task (or, for `machineNs`, the machine) started. */
export interface CpuUsage {
  readonly totalNs: number;
  readonly userNs: number;
  readonly kernelNs: number;
  /** All processors of the machine together, idle time included: what the task's share is measured against. */
  readonly machineNs: number;
  readonly onlineCpus: number;
  /** How often and how long a quota held the task back; zeros without one. */
  readonly throttling: {
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNs: number;
  };
}

/** Memory in bytes. */
export interface MemoryUsage {
  readonly usageBytes: number;
  /** The task's limit; the memory of the machine when there is none. */
  readonly limitBytes: number;
  /** Parts of the usage under the kernel's names (`anon`, `inactive_file`, …). */
  readonly parts: Readonly<Record<string, number>>;
}

/** Threads of all processes, as the kernel's `pids` controller counts them. */
export interface PidsUsage {
  readonly current: number;
  /** Absent when there is none. */
  readonly limit?: number;
}

/** Bytes moved to and from one block device; 0:0 stands for all devices together. */
export interface BlockDeviceUsage {
  readonly major: number;
  readonly minor: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** Counters of one direction of a network interface. */
export interface TrafficCounters {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
  readonly dropped: number;
}

/** Counters of one network interface as its container sees it. */
export interface InterfaceTraffic {
  readonly received: TrafficCounters;
  readonly sent: TrafficCounters;
}

/** What a task uses of the machine. */
export interface TaskUsage {
  readonly cpu: CpuUsage;
  readonly memory: MemoryUsage;
  readonly pids: PidsUsage;
  readonly blockDevices: readonly BlockDeviceUsage[];
  /** By interface name, without the loopback; empty for a task in the network of the engine or the host. */
  readonly networks: Readonly<Record<string, InterfaceTraffic>>;
}

export interface TaskObserver {
  /**
   * The task's processes as `ps` with these arguments shows them, sessions started by exec included. `conflict`
   * when the task has ended, `invalid-argument` when the arguments leave out the column PID, `internal` with the
   * complaint of `ps` when it refuses them, `unavailable` when there is no `ps`.
   */
  listProcesses(record: TaskRecord, psArgs: readonly string[]): Promise<ProcessTable>;
  /**
   * Calls `onKill` whenever the kernel kills a process of the task for want of memory, until `signal` aborts. Only
   * tasks with a control group of their own are told apart; for others nothing is ever called.
   */
  watchMemory(record: TaskRecord, onKill: () => void, signal: AbortSignal): Promise<void>;
  /** One measurement. `conflict` when the task has ended. */
  measure(record: TaskRecord): Promise<TaskUsage>;
}
