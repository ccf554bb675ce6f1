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
import { fuseMounter, kernelMounter } from './overlay/overlay-mounter.ts';
import { OverlaySnapshotter } from './overlay/overlay-snapshotter.ts';
import { probeFuse } from './overlay/probe-fuse.ts';
import { probeOverlay } from './overlay/probe-overlay.ts';

export interface OpenSnapshotterOptions {
  /** Parent of the drivers' own directories. */
  readonly snapshotsDir: string;
  /** Below the runtime directory; mount points are made in it. */
  readonly rootfsDir: string;
  /** `--storage-driver`, in our words or Docker's; undefined: choose. */
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

/** The snapshotter that was chosen, and why, as a clause. */
export interface ChosenSnapshotter {
  readonly snapshots: OpenedSnapshotter;
  readonly reason: string;
}

type Driver = 'overlay' | 'fuse-overlayfs' | 'copy';

/** Our names, and Docker's where they differ. */
const DRIVERS: ReadonlyMap<string, Driver> = new Map([
  ['overlay', 'overlay'],
  ['overlay2', 'overlay'],
  ['fuse-overlayfs', 'fuse-overlayfs'],
  ['copy', 'copy'],
  ['vfs', 'copy'],
]);

/** Whether a driver works in a directory, found out by trying: rejects with the reason when it does not. */
const PROBES: Readonly<Record<Driver, (dir: string) => Promise<void>>> = {
  overlay: probeOverlay,
  'fuse-overlayfs': probeFuse,
  copy: async () => undefined,
};

/** In the order in which they are better. */
const PREFERENCE: readonly Driver[] = ['overlay', 'fuse-overlayfs', 'copy'];

interface Choice {
  readonly driver: Driver;
  readonly reason: string;
}

/** `unavailable` when the driver asked for does not work here, `invalid-argument` when there is no such driver. */
export async function openSnapshotter(options: OpenSnapshotterOptions): Promise<ChosenSnapshotter> {
  const { driver, reason } = await choose(options);
  const dir = join(options.snapshotsDir, driver);
  const { rootfsDir, logger, disk } = options;
  const snapshots =
    driver === 'copy'
      ? await CopySnapshotter.open({ dir, logger, disk })
      : await OverlaySnapshotter.open({
          ...{ dir, rootfsDir, logger, disk },
          mounter: driver === 'overlay' ? kernelMounter : fuseMounter,
        });
  return { snapshots, reason };
}

async function choose(options: OpenSnapshotterOptions): Promise<Choice> {
  const { driver: asked, snapshotsDir } = options;
  if (asked === undefined) return (await driverInUse(options)) ?? (await firstThatWorks(options));
  const driver = DRIVERS.get(asked);
  if (driver === undefined) throw unknownDriver(asked);
  await PROBES[driver](join(snapshotsDir, driver));
  return { driver, reason: 'the settings name it' };
}

/** Containers of a driver live in its directory only: changing it by itself would lose sight of them. */
async function driverInUse(options: OpenSnapshotterOptions): Promise<Choice | undefined> {
  for (const driver of PREFERENCE) {
    const dir = join(options.snapshotsDir, driver);
    if (!(await hasContainers(join(dir, 'active')))) continue;
    const lack = await PROBES[driver](dir).then(() => undefined, messageOf);
    if (lack !== undefined) {
      options.logger.error(`${driver} does not work any more: containers cannot be started`, {
        reason: lack,
      });
    }
    return { driver, reason: 'there are containers of it' };
  }
  return undefined;
}

async function firstThatWorks(options: OpenSnapshotterOptions): Promise<Choice> {
  const lacks: string[] = [];
  for (const driver of PREFERENCE) {
    const lack = await PROBES[driver](join(options.snapshotsDir, driver)).then(
      () => undefined,
      messageOf,
    );
    if (lack === undefined) return { driver, reason: ['it works here', ...lacks].join('; ') };
    options.logger.warn(`${driver} cannot be used`, { reason: lack });
    lacks.push(lack);
  }
  throw unknownDriver('none');
}

async function hasContainers(dir: string): Promise<boolean> {
  try {
    return (await readdir(dir)).length > 0;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
