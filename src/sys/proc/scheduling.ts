/** On which processors a process may run, and how it stands behind others (sched(7)). */
import { writeFile } from 'node:fs/promises';
import { checked, nativeFunction } from '../native.ts';
import { errnoCode } from '../system-errors.ts';

const cSetAffinity = nativeFunction(
  'int sched_setaffinity(int pid, size_t size, const void *mask)',
);
const cSetPriority = nativeFunction('int setpriority(int which, unsigned int who, int priority)');
const cGetAffinity = nativeFunction('int sched_getaffinity(int pid, size_t size, void *mask)');

/** Room for 8192 processors, the most that Linux is built for. */
const MASK_BYTES = 1024;

/** Lets one thread run on these processors only. `ESRCH` when it has gone, `EINVAL` when none of them is online. */
export function setAffinity(threadId: number, cpus: readonly number[]): void {
  const mask = Buffer.alloc(MASK_BYTES);
  for (const cpu of cpus) mask.writeUInt8(mask.readUInt8(cpu >> 3) | (1 << (cpu & 7)), cpu >> 3);
  checked(cSetAffinity(threadId, MASK_BYTES, mask), 'sched_setaffinity');
}

/** The processors that a thread (0: this one) may run on, in ascending order. */
export function readAffinity(threadId = 0): readonly number[] {
  const mask = Buffer.alloc(MASK_BYTES);
  checked(cGetAffinity(threadId, MASK_BYTES, mask), 'sched_getaffinity');
  const cpus: number[] = [];
  for (let cpu = 0; cpu < MASK_BYTES * 8; cpu++) {
    if ((mask.readUInt8(cpu >> 3) & (1 << (cpu & 7))) !== 0) cpus.push(cpu);
  }
  return cpus;
}

/** Runs `start` with this thread on some processors only, so that the processes it starts inherit them. */
export function startOnProcessors<T>(cpus: readonly number[], start: () => T): T {
  const own = readAffinity();
  setAffinity(0, cpus);
  try {
    return start();
  } finally {
    setAffinity(0, own);
  }
}

/** The greatest niceness, which gives way to everybody; 0 is the usual one. */
export const GREATEST_NICENESS = 19;
const PRIO_PROCESS = 0;

/**
 * Sets the niceness of one thread, and of the session's scheduling group where the kernel has them (otherwise
 * niceness counts only among the processes of one session). False when it would have to be raised, which takes a
 * privilege. `ESRCH` when it has gone.
 */
export async function setNiceness(threadId: number, niceness: number): Promise<boolean> {
  try {
    checked(cSetPriority(PRIO_PROCESS, threadId, niceness), 'setpriority');
    await writeFile(`/proc/${threadId}/autogroup`, String(niceness), { flag: 'r+' });
    return true;
  } catch (error) {
    const code = errnoCode(error);
    // No such groups in this kernel, or one change too many within a tenth of a second: the thread has its own.
    if (code === 'ENOENT' || code === 'EAGAIN' || code === 'EINVAL') return true;
    if (code === 'EACCES' || code === 'EPERM') return false;
    throw error;
  }
}
