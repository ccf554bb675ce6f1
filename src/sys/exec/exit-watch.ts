/** Learning that a process has ended, through a pidfd (pidfd_open(2), Linux 5.3). */
import { closeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { checked, nativeFunction } from '../native.ts';
import { errnoCode } from '../system-errors.ts';
import { type DescriptorWatch, watchDescriptor } from '../watch-descriptor.ts';
import type { ProcessExit } from './command.ts';

/** A watch on the end of a process. */
export interface ExitWatch {
  /**
   * Resolves once the process has ended: with its exit when it was our child (which reaps it), with undefined
   * when it was somebody else's or was gone already.
   */
  readonly ended: Promise<ProcessExit | undefined>;
  /** Lets this program end before the process does. */
  unref(): void;
  /** Stops watching; `ended` stays pending. */
  close(): void;
}

const WNOHANG = 1;
const SYS_PIDFD_OPEN = 434;
const cPidfdOpen = nativeFunction('long syscall(long number, long pid, long flags)');
const cWaitpid = nativeFunction('int waitpid(int pid, int *status, int options)');

/** Keeps watches from being collected while only the kernel knows of them; with the pids they watch. */
const watches = new Map<DescriptorWatch, number>();

/**
 * Watches any process by pid. Callers that did not start the process must have checked its identity, and check
 * it again afterwards: the pid could have been reused before the watch was on.
 */
export function watchExit(pid: number): ExitWatch {
  const pidfd = openPidfd(pid);
  if (pidfd === undefined) {
    return { ended: Promise.resolve(reap(pid)), unref: nothing, close: nothing };
  }
  const { promise, resolve } = settlable<ProcessExit | undefined>();
  const watch = watchDescriptor(pidfd, 'readable', () => {
    close();
    resolve(reap(pid));
  });
  const close = () => {
    if (!watches.delete(watch)) return;
    watch.stop();
    closeSync(pidfd);
  };
  watches.set(watch, pid);
  return { ended: promise, unref: () => watch.unref(), close };
}

/** True while somebody watches the process: its exit is theirs to collect. */
export function isWatched(pid: number): boolean {
  return [...watches.values()].includes(pid);
}

/** Collects the exit of an ended child; undefined when `pid` is no child of ours or still runs. */
export function reap(pid: number): ProcessExit | undefined {
  const status = new Int32Array(1);
  return cWaitpid(pid, status, WNOHANG) === pid ? decodeWaitStatus(status[0] ?? 0) : undefined;
}

/** Splits a status of wait(2) into exit code or signal name. */
export function decodeWaitStatus(status: number): ProcessExit {
  const signal = status & 0x7f;
  if (signal === 0) return { exitCode: (status >> 8) & 0xff, signal: null };
  return { exitCode: null, signal: SIGNAL_NAMES.get(signal) ?? `SIG${signal}` };
}

const SIGNAL_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(osConstants.signals).map(([name, number]) => [number, name]),
);

function openPidfd(pid: number): number | undefined {
  try {
    return checked(cPidfdOpen(SYS_PIDFD_OPEN, pid, 0), 'pidfd_open', String(pid));
  } catch (error) {
    if (errnoCode(error) === 'ESRCH') return undefined;
    throw error;
  }
}

function nothing(): undefined {
  return undefined;
}

function settlable<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = nothing;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
