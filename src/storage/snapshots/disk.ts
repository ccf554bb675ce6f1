/** When what was written reaches the disk, and what a boot of the machine forgets. */
import { syncFileSystem } from '../../sys/libc.ts';
import { readBootId } from '../../sys/proc/process-identity.ts';

/** The disk below the snapshots. Tests put one in its place that fails, waits, or was booted anew. */
export interface Disk {
  /** Id of the present boot: what an earlier one had only in memory is lost. */
  readonly bootId: string;
  /**
   * So long something just written waits for more, in milliseconds: one sync then serves all, and what the client
   * does next does not compete with it.
   */
  readonly syncDelayMs: number;
  /** Resolves when everything written to the file system of `fd` is on disk; rejects when some of it is lost. */
  sync(fd: number): Promise<void>;
}

/** The kernel starts to write by itself what is older than five seconds or so: later than that nothing is gained. */
const SYNC_DELAY_MS = 2000;

/** The disk of this machine. */
export async function systemDisk(): Promise<Disk> {
  return { bootId: await readBootId(), syncDelayMs: SYNC_DELAY_MS, sync: syncFileSystem };
}
