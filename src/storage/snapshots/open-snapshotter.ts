/** Chooses the snapshotter: the one asked for, the one in use so far, or the first that works here. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, systemCode } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { LayerChecker } from '../layer-checker.ts';
import type { Snapshotter } from '../snapshotter.ts';
import { unknownDriver } from '../storage-errors.ts';
import { CopySnapshotter } from './copy/copy-snapshotter.ts';
import type { Disk } from './disk.ts';
import { OverlaySnapshotter } from './overlay/overlay-snapshotter.ts';
import { probeOverlay } from './overlay/probe-overlay.ts';

export interface OpenSnapshotterOptions {
  /** Parent of the drivers' own directories. */
  readonly snapshotsDir: string;
  /** Below the runtime directory; mount points are made in it. */
  readonly rootfsDir: string;
  /** `--storage-driver`; undefined: choose. `overlay2`, Docker's name, means overlay. */
  readonly driver: string | undefined;
  readonly logger: Logger;
  /** This machine's when absent. */
  readonly disk?: Disk;
}

/** A snapshotter that can be checked and shut down. */
export type OpenedSnapshotter = Snapshotter & {
  readonly checker: LayerChecker;
  close(): Promise<void>;
};

/** `unavailable` when the driver asked for does not work here, `invalid-argument` when there is no such driver. */
export async function openSnapshotter(options: OpenSnapshotterOptions): Promise<OpenedSnapshotter> {
  const wanted = options.driver === 'overlay2' ? 'overlay' : options.driver;
  if (wanted !== undefined && wanted !== 'overlay' && wanted !== 'copy') {
    throw unknownDriver(wanted);
  }
  if (wanted === 'overlay') await probeOverlay(join(options.snapshotsDir, 'overlay'));
  const chosen = wanted ?? (await choose(options));
  const dir = join(options.snapshotsDir, chosen);
  const { rootfsDir, logger, disk } = options;
  return chosen === 'overlay'
    ? await OverlaySnapshotter.open({ dir, rootfsDir, logger, disk })
    : await CopySnapshotter.open({ dir, logger, disk });
}

async function choose(options: OpenSnapshotterOptions): Promise<'overlay' | 'copy'> {
  // Containers of a driver live in its directory only: changing it by itself would lose sight of them.
  if (await hasContainers(join(options.snapshotsDir, 'copy', 'active'))) return 'copy';
  try {
    await probeOverlay(join(options.snapshotsDir, 'overlay'));
    return 'overlay';
  } catch (error) {
    if (await hasContainers(join(options.snapshotsDir, 'overlay', 'active'))) {
      options.logger.error('overlay does not work any more: containers cannot be started', {
        reason: messageOf(error),
      });
      return 'overlay';
    }
    options.logger.warn('overlay cannot be used, containers get full copies of their images', {
      reason: messageOf(error),
    });
    return 'copy';
  }
}

async function hasContainers(dir: string): Promise<boolean> {
  try {
    return (await readdir(dir)).length > 0;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
