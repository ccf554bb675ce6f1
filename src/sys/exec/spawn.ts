/** The lowest level: one new process with its descriptors, started in the fastest way the machine has. */
import type { Readable, Writable } from 'node:stream';
import { isNativeAvailable } from '../native.ts';
import { hasOuterNetwork } from '../ns/outer-network.ts';
import { startOnProcessors } from '../proc/scheduling.ts';
import type { Command, ProcessExit, SpawnOptions } from './command.ts';
import { spawnPortable } from './spawn-portable.ts';
import { spawnPosix, spawnPosixInBackground } from './spawn-posix.ts';

/** A running process. */
export interface ChildProcessHandle {
  readonly pid: number;
  /** Our end of a `pipe-in` slot. Errors such as EPIPE are emitted but never fatal. */
  writable(slot: number): Writable;
  /** Our end of a `pipe-out` slot. Unread output holds the process up, so read it or destroy it. */
  readable(slot: number): Readable;
  /** Resolves when the process has ended, whoever may still hold its pipes. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Sends a signal; false when the process has ended already (its pid is then nobody's or another's). */
  kill(signal: NodeJS.Signals): boolean;
  /** Lets this program end before the process does. */
  unref(): void;
}

/** A way to start processes. */
export type SpawnProcess = (command: Command, options: SpawnOptions) => ChildProcessHandle;

/**
 * Starts a process; when it returns, the program is being executed. Throws `unavailable` when the program is not
 * installed, `internal` with `details.code` when the kernel refuses (ENOENT for the directory, EACCES, …).
 */
export const spawnProcess: SpawnProcess = (command, options) => {
  const { cpus } = options;
  const start = () =>
    isNativeAvailable() ? spawnPosix(command, options) : spawnPortable(command, options);
  return cpus === undefined ? start() : startOnProcessors(cpus, start);
};

/** Like `spawnProcess`, in the network that this program was started in, where it has left that one. */
export async function spawnInOuterNetwork(
  command: Command,
  options: SpawnOptions,
): Promise<ChildProcessHandle> {
  if (!hasOuterNetwork()) return spawnProcess(command, options);
  return await spawnPosixInBackground(command, options);
}
