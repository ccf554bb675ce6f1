/** A disk that does as a test says. */
import type { Disk } from '../../src/storage/snapshots/disk.ts';

/** Syncs at once and always succeeds, unless told otherwise. */
export class ScriptedDisk implements Disk {
  readonly bootId: string;
  readonly syncDelayMs = 0;
  /** How many syncs have begun. */
  syncs = 0;
  /** What a sync waits for, and how it ends. */
  onSync: () => Promise<void> = async () => undefined;

  constructor(bootId = 'this-boot') {
    this.bootId = bootId;
  }

  async sync(): Promise<void> {
    this.syncs += 1;
    await this.onSync();
  }
}

/** A disk that never gets to syncing. */
export function idleDisk(bootId: string): Disk {
  return { bootId, syncDelayMs: 2 ** 30, sync: async () => undefined };
}
