/** Ending a process: politely, then for sure. */
import type { ChildProcessHandle } from './spawn.ts';

/** SIGTERM, then SIGKILL once `graceMs` have passed; resolves when the process has ended. */
export async function terminate(child: ChildProcessHandle, graceMs: number): Promise<void> {
  if (!child.kill('SIGTERM')) {
    await child.exited;
    return;
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  try {
    await child.exited;
  } finally {
    clearTimeout(timer);
  }
}
