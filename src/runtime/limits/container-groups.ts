/** Control groups of containers in the part of the version 2 hierarchy that is delegated to us. */
import { stat } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import type { Clock } from '../../shared/clock.ts';
import {
  type CgroupFiles,
  enableControllers,
  offeredControllers,
  removeGroupTree,
} from '../../sys/cgroup/cgroup-files.ts';
import { isMissing } from '../../sys/system-errors.ts';
import type { Resources } from '../../wire/container-config.ts';
import type { LimitSupport } from '../limit-support.ts';
import { deviceUnavailable, freezerStuck, limitRefused } from '../runtime-errors.ts';
import { supportOfGroup } from './detect-support.ts';
import {
  type DeviceNumbers,
  type GroupSetting,
  groupSettings,
  limitedDevices,
} from './group-settings.ts';

/** The delegated part. */
export interface DelegatedPart {
  readonly files: CgroupFiles;
  /** Where the hierarchy is mounted. */
  readonly mountPoint: string;
  /** The group that is ours, as a path in the hierarchy: `/user.slice/…`. No process is in it itself. */
  readonly ownPath: string;
  readonly clock: Clock;
}

/** The group of all containers that ask for no other parent. */
const DEFAULT_PARENT = 'wherry';
/** How long the kernel gets to stop or end the processes of a group, and how often that is looked at. */
const SETTLE_TIMEOUT_MS = 10_000;
const SETTLE_LOOK_MS = 5;

/** Paths given and returned are those that runtimes take (`cgroupsPath`): absolute within the hierarchy. */
export class ContainerGroups {
  readonly support: LimitSupport;
  readonly #part: DelegatedPart;

  private constructor(part: DelegatedPart, support: LimitSupport) {
    this.#part = part;
    this.support = support;
  }

  /** Makes the groups' parent and finds out what it can limit. */
  static async open(part: DelegatedPart): Promise<ContainerGroups> {
    const { files, mountPoint, ownPath } = part;
    const parent = join(ownPath, DEFAULT_PARENT);
    await makeParents(part, parent);
    return new ContainerGroups(part, await supportOfGroup(files, join(mountPoint, parent)));
  }

  /** Where the group of a container is. A parent that was asked for (`CgroupParent`) lies within our own part. */
  pathOf(id: string, parent = ''): string {
    const { ownPath } = this.#part;
    const wanted = normalize(`/${parent === '' ? DEFAULT_PARENT : parent}`);
    const isOurs = wanted === ownPath || wanted.startsWith(`${ownPath}/`);
    return join(isOurs ? wanted : join(ownPath, wanted), id);
  }

  /** Makes the group with its limits; an earlier one of this path must be gone. `invalid-argument` for a refused limit. */
  async make(path: string, resources: Resources): Promise<void> {
    await makeParents(this.#part, join(path, '..'));
    await this.#part.files.makeGroup(this.#dir(path));
    await this.limit(path, resources);
  }

  /** Writes every limit that is set; others stay. `invalid-argument` for one that the kernel refuses. */
  async limit(path: string, resources: Resources): Promise<void> {
    const settings = groupSettings(resources, await numbersOf(limitedDevices(resources)));
    for (const setting of settings.filter((each) => isSupported(each, this.support))) {
      await this.#write(path, setting);
    }
  }

  /** Kills what is left in the group and removes it with what its processes made below it. Idempotent. */
  async remove(path: string): Promise<void> {
    const { files } = this.#part;
    if ((await this.#event(path, 'cgroup.events', 'populated')) === 1) {
      await files.write(this.#file(path, 'cgroup.kill'), '1').catch(ignoreMissing);
      await this.#becomes(path, 'populated', 0);
    }
    await removeGroupTree(files, this.#dir(path));
  }

  /** Stops all processes of the group at once, or lets them go on; they cannot see it. Resolves when it is so. */
  async freeze(path: string, frozen: boolean): Promise<void> {
    const { files } = this.#part;
    const state = frozen ? '1' : '0';
    await files.write(this.#file(path, 'cgroup.freeze'), state);
    const isSo = await this.#becomes(path, 'frozen', Number(state));
    if (!isSo) throw freezerStuck(path);
  }

  /** How many processes the kernel killed for want of memory. 0 for a group that has gone. */
  async oomKills(path: string): Promise<number> {
    return (await this.#event(path, 'memory.events', 'oom_kill')) ?? 0;
  }

  async #write(path: string, { file, text }: GroupSetting): Promise<void> {
    try {
      await this.#part.files.write(this.#file(path, file), text);
    } catch (error) {
      throw limitRefused(file, text, error);
    }
  }

  /** Waits until an event has this value; false when it has not after a while. */
  async #becomes(path: string, event: string, value: number): Promise<boolean> {
    const { clock } = this.#part;
    const never = new AbortController().signal;
    for (let waitedMs = 0; waitedMs < SETTLE_TIMEOUT_MS; waitedMs += SETTLE_LOOK_MS) {
      const now = await this.#event(path, 'cgroup.events', event);
      if (now === value || now === undefined) return true;
      await clock.sleep(SETTLE_LOOK_MS, never);
    }
    return false;
  }

  /** A count of a file of lines `name number`; undefined when there is no such file or name. */
  async #event(path: string, file: string, name: string): Promise<number | undefined> {
    const text = await this.#part.files.read(this.#file(path, file));
    const count = new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1];
    return count === undefined ? undefined : Number(count);
  }

  #file(path: string, name: string): string {
    return join(this.#dir(path), name);
  }

  #dir(path: string): string {
    return join(this.#part.mountPoint, path);
  }
}

/** Kernels before 5.14 have no such file: what was killed already is waited for all the same. */
function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}

/** Makes a group and those above it, as far as they are ours, with all controllers for what is below. */
async function makeParents(part: DelegatedPart, path: string): Promise<void> {
  const { files, mountPoint, ownPath } = part;
  const names = path.slice(ownPath.length).split('/').filter(Boolean);
  let dir = join(mountPoint, ownPath);
  for (const name of ['', ...names]) {
    dir = join(dir, name);
    await files.makeGroup(dir);
    await enableControllers(files, dir, await offeredControllers(files, dir));
  }
}

function isSupported({ controller, file }: GroupSetting, support: LimitSupport): boolean {
  if (file === 'memory.swap.max') return support.swap;
  return file === 'io.weight' ? support.ioWeight : support[controller];
}

async function numbersOf(paths: readonly string[]): Promise<DeviceNumbers> {
  const found = paths.map(async (path): Promise<[string, string]> => {
    try {
      const { rdev } = await stat(path);
      return [path, `${major(rdev)}:${minor(rdev)}`];
    } catch (error) {
      throw deviceUnavailable(path, error);
    }
  });
  return new Map(await Promise.all(found));
}

/** The parts of a device number as glibc splits it, within the range that JavaScript computes with. */
const major = (device: number) => Math.floor(device / 256) % 4096;
const minor = (device: number) => (device % 256) + Math.floor(device / 2 ** 20) * 256;
