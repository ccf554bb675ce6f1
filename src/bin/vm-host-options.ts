/** Building the options of a host whose engine lives in a virtual machine. */
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { ensureDataDisk } from '../host/vm/data-disk.ts';
import { FileEvents } from '../host/vm/files/file-events.ts';
import type { VmParts } from '../host/vm/vm-driver.ts';
import { unusableImage } from '../host/vm/vm-errors.ts';
import type { VmHostOptions } from '../host/vm/vm-host.ts';
import { systemClock } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import { checkImage } from '../vm-image/check-image.ts';
import { writeProgramDisk } from '../vm-image/program-disk.ts';
import { findDriver } from './choose-machine.ts';
import type { DaemonConfiguration } from './daemon-configuration.ts';
import { apiAddresses, type HostSurroundings, openDoors } from './host-options.ts';
import { programsDir } from './program-paths.ts';
import { VERSION } from './version.ts';

const GB = 2 ** 30;
/** Sparse: it takes what is in it. */
const DISK_GB = 64;
const MOST_CPUS = 4;
const [LEAST_MEMORY_MB, MOST_MEMORY_MB] = [1024, 4096];
/** Without help by the processor, and beside other work, a start takes this order of time. */
const START_TIMEOUT_MS = { accelerated: 60_000, emulated: 240_000 };
const STOP_MARGIN_MS = 20_000;
/** Whom the guest's engine is when the caller cannot be it: root, or one of the guest's subordinate ids. */
const USUAL_GUEST = { uid: 1000, gid: 1000 };
const GUEST_SUBORDINATE_IDS = 100_000;
const WINDOWS_PATH = /^[A-Za-z]:\\/;

/** The options of such a host. `unavailable` when the machine's program is missing. */
export async function vmHostOptions(
  configuration: DaemonConfiguration,
  surroundings: Omit<HostSurroundings, 'engine' | 'inheritedSockets'>,
): Promise<VmHostOptions> {
  const { settings, roots, runtimePaths: runtime, dataPaths: data } = configuration;
  const { logger, searchPath } = surroundings;
  const driver = await findDriver(configuration, searchPath);
  const addresses = apiAddresses(configuration);
  const { isAccelerated } = driver.features;
  const guest = canBeGuest(configuration.user) ? configuration.user : USUAL_GUEST;
  const sharedDir = shareable(configuration.user.home, guest !== USUAL_GUEST);
  const parts: VmParts = {
    kernel: join(data.vmImageDir, 'vmlinuz'),
    initialRoot: join(data.vmImageDir, 'initrd'),
    root: join(data.vmImageDir, 'root.erofs'),
    dataDisk: data.vmDataDisk,
    programDisk: runtime.vmPrograms,
    channelSocket: runtime.vmChannel,
    consoleLog: runtime.vmConsole,
    user: guest,
    sharedDir,
    apiSocket: passable(runtime.apiSocket),
    cpus: settings.vmCpus ?? Math.min(cpus().length, MOST_CPUS),
    memoryMb: settings.vmMemoryMb ?? memoryMb(totalmem()),
  };
  return {
    version: VERSION,
    paths: runtime,
    dataRoot: roots.dataRoot,
    apiAddresses: addresses,
    warnings: [...openDoors(addresses), ...driver.notes, ...limits(sharedDir)],
    emit: surroundings.emit,
    cleanUp: surroundings.cleanUp,
    machine: {
      driver,
      recordFile: runtime.vmRecord,
      parts,
      prepare: async () => {
        await checkImage(data.vmImageDir).catch((error: unknown) => {
          throw unusableImage(data.vmImageDir, messageOf(error), error);
        });
        if (!driver.features.hasOwnDisk) {
          await ensureDataDisk(data.vmDataDisk, (settings.vmDiskGb ?? DISK_GB) * GB);
          await writeProgramDisk(programsDir(), runtime.vmPrograms);
        }
        return (await driver.prepare?.(parts)) ?? (() => undefined);
      },
      startTimeoutMs: isAccelerated ? START_TIMEOUT_MS.accelerated : START_TIMEOUT_MS.emulated,
      stopTimeoutMs: Math.max(0, settings.shutdownTimeoutSeconds) * 1000 + STOP_MARGIN_MS,
      attend: (connect) =>
        sharedDir === undefined
          ? { close: () => undefined }
          : new FileEvents({ connect, sharedDir, clock: systemClock, logger }),
      clock: systemClock,
      logger,
    },
  };
}

function canBeGuest({ uid, gid }: DaemonConfiguration['user']): boolean {
  return uid > 0 && gid > 0 && Math.max(uid, gid) < GUEST_SUBORDINATE_IDS;
}

/** Files of Windows have no owners that the guest could have. */
function shareable(home: string, isOwner: boolean): string | undefined {
  if (WINDOWS_PATH.test(home)) return home;
  return isOwner ? passable(home) : undefined;
}

/** The path goes through the command line of the kernel, which is cut at spaces. */
function passable(path: string): string | undefined {
  return /^\/[\w./@+-]+$/.test(path) ? path : undefined;
}

/** What is otherwise than in namespaces. */
function limits(sharedDir: string | undefined): readonly string[] {
  const shared =
    sharedDir === undefined ? 'no directory of this computer is' : `only ${sharedDir} is`;
  return [`${shared} shared with the virtual machine: other bind mounts are refused`];
}

/** A quarter of what there is, within bounds: what the guest does not use goes back to the host. */
function memoryMb(totalBytes: number): number {
  const quarter = Math.floor(totalBytes / 4 / 2 ** 20);
  return Math.max(LEAST_MEMORY_MB, Math.min(MOST_MEMORY_MB, quarter));
}
