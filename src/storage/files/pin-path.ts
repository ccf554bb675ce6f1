/** Paths inside a volume, bound to a place where nobody can exchange them. */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, realpath, rm, rmdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { systemCode } from '../../shared/errors.ts';
import { bindMount, MountFlag, mount } from '../../sys/libc.ts';
import { isMounted, mountsUnder, unmountLazily } from '../../sys/mount/mount-table.ts';
import { errnoCode } from '../../sys/system-errors.ts';
import { lockedMounts, subpathOutside, subpathUnavailable } from '../storage-errors.ts';
import type { MountForm, PinPlace } from '../volume-files.ts';

/** What is pinned, and where. */
export interface PinRequest {
  /** Absolute path of the volume's data. */
  readonly root: string;
  /** Relative path inside it. */
  readonly subpath: string;
  readonly pinsDir: string;
  readonly at: PinPlace;
}

/** Only names a file; from fcntl.h, which node does not carry. */
const O_PATH = 0x200000;

/**
 * Binds the path and returns where. Symlinks within the volume are followed first; then every step is opened
 * without following any, so that one put there meanwhile is met with a refusal.
 */
export async function pinPath(request: PinRequest): Promise<string> {
  const steps = await stepsInside(request);
  const handle = await openSteps(request, steps);
  try {
    return await bindAt(handle, request, { recursive: true, readOnly: false });
  } finally {
    await handle.close();
  }
}

/** Binds a path in another form and returns where; the path itself when nothing is mounted below it. */
export async function reformPath(
  source: string,
  form: MountForm,
  place: Pick<PinRequest, 'pinsDir' | 'at'>,
): Promise<string> {
  const real = await realpath(source);
  const below = (await mountsUnder(real)).filter(({ mountPoint }) => mountPoint !== real);
  if (below.length === 0) return source;
  const handle = await open(real, O_PATH);
  try {
    return await bindAt(handle, place, {
      recursive: form === 'sealed',
      readOnly: form === 'sealed',
    });
  } catch (error) {
    // A user namespace may not look below the mounts that it was born with (mount_namespaces(7)).
    if (form === 'bare' && errnoCode(error) === 'EINVAL') throw lockedMounts(source, error);
    throw error;
  } finally {
    await handle.close();
  }
}

/** Binds the namespace that a link of `/proc` names and returns where. */
export async function pinNamespace(
  path: string,
  place: Pick<PinRequest, 'pinsDir' | 'at'>,
): Promise<string> {
  const handle = await open(path, O_PATH);
  try {
    return await bindAt(handle, place, { recursive: false, readOnly: false });
  } finally {
    await handle.close();
  }
}

/** Mounts a tmpfs as Docker mounts `/dev/shm`, unless it is there already, and returns where. */
export async function memoryAt(
  sizeBytes: number,
  { pinsDir, at }: Pick<PinRequest, 'pinsDir' | 'at'>,
): Promise<string> {
  const target = join(pinsDir, at.key, at.place);
  await mkdir(target, { recursive: true, mode: 0o700 });
  if (await isMounted(target)) return target;
  const flags = MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec;
  mount({ source: 'shm', target, type: 'tmpfs', flags, data: `mode=1777,size=${sizeBytes}` });
  return target;
}

async function bindAt(
  handle: FileHandle,
  { pinsDir, at }: Pick<PinRequest, 'pinsDir' | 'at'>,
  options: { readonly recursive: boolean; readonly readOnly: boolean },
): Promise<string> {
  const dir = join(pinsDir, at.key);
  const target = join(dir, at.place);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  unmountLazily(target);
  await makeMountPoint(target, (await handle.stat()).isDirectory());
  bindMount(`/proc/self/fd/${handle.fd}`, target, options);
  return target;
}

/** Takes away all pinned paths of a key. Never deletes through a mount: its places are unmounted, then removed empty. */
export async function unpinPaths(pinsDir: string, key: string): Promise<void> {
  const dir = join(pinsDir, key);
  for (const entry of await entriesOf(dir)) {
    const target = join(dir, entry.name);
    unmountLazily(target);
    await (entry.isDirectory() ? rmdir(target) : rm(target));
  }
  await rmdir(dir).catch(ignoreMissing);
}

/** The names that lead from the volume to the path after symlinks. */
async function stepsInside({ root, subpath }: PinRequest): Promise<readonly string[]> {
  try {
    const base = await realpath(root);
    const real = await realpath(join(base, subpath));
    if (real === base) return [];
    if (!real.startsWith(base + sep)) throw subpathOutside(subpath);
    return real.slice(base.length + 1).split(sep);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    throw subpathUnavailable(subpath, error);
  }
}

async function openSteps(request: PinRequest, steps: readonly string[]): Promise<FileHandle> {
  const flags = O_PATH | constants.O_NOFOLLOW;
  let handle = await open(request.root, O_PATH | constants.O_DIRECTORY);
  for (const step of steps) {
    const above = handle;
    try {
      handle = await open(`/proc/self/fd/${above.fd}/${step}`, flags);
    } catch (error) {
      throw subpathUnavailable(request.subpath, error);
    } finally {
      await above.close();
    }
    if ((await handle.stat()).isSymbolicLink()) {
      await handle.close();
      throw subpathOutside(request.subpath);
    }
  }
  return handle;
}

async function makeMountPoint(target: string, isDirectory: boolean): Promise<void> {
  if (isDirectory) {
    await mkdir(target, { recursive: true, mode: 0o700 });
    return;
  }
  await (await open(target, 'a', 0o600)).close();
}

async function entriesOf(dir: string) {
  try {
    return await readdir(dir, { withFileTypes: true });
  } catch (error) {
    ignoreMissing(error);
    return [];
  }
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
}
