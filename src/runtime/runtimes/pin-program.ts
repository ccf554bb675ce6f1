/**
 * A runtime's program where containers cannot change it. crun and runc 1.1 copy themselves before each container and each
 * exec, so that a container that gets hold of its runtime's file cannot write to it (CVE-2019-5736). They leave that
 * out when their file is on a read-only mount and whoever mounted it says so.
 */
import { constants } from 'node:fs';
import { access, open, realpath, stat, writeFile } from 'node:fs/promises';
import { run } from '../../sys/exec/run.ts';
import { bindMount, UmountFlag, umount } from '../../sys/libc.ts';
import { errnoCode } from '../../sys/system-errors.ts';

/** How crun and runc 1.1 are told that the read-only mount is meant for that. */
export const PINNED_ENVIRONMENT = { _LIBCONTAINER_CLONED_BINARY: '1' } as const;

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);
const CHECK_TIMEOUT_MS = 5_000;

/**
 * Binds the program read-only at `place` in this mount namespace, and returns `place`. Undefined, with nothing bound, for a
 * script, for a program that finds its libraries by its own path, and for one that this user namespace could write to:
 * that one has to go on copying itself. Idempotent; a program that was replaced is bound anew.
 */
export async function pinProgram(path: string, place: string): Promise<string | undefined> {
  const file = await realpath(path);
  if ((await isWritableHere(file)) || !(await isBinary(file))) return undefined;
  if (await isSameFile(file, place)) return place;
  try {
    await writeFile(place, '', { mode: 0o600, flag: 'a' }).catch(ignoreReadOnly);
    // What an older program left; there mostly is nothing.
    unbind(place);
    bindMount(file, place, { readOnly: true });
  } catch {
    // Without mounts it is merely slower.
    return undefined;
  }
  if (await answers(place)) return place;
  unbind(place);
  return undefined;
}

/**
 * Whether root of this user namespace, hence of any container, could write to the file. The kernel says no for files
 * of owners that are not mapped here, however privileged we are, unless everybody may.
 */
async function isWritableHere(file: string): Promise<boolean> {
  try {
    await access(file, constants.W_OK);
    return true;
  } catch (error) {
    return errnoCode(error) !== 'EACCES';
  }
}

async function isBinary(file: string): Promise<boolean> {
  await using handle = await open(file, 'r');
  const { buffer } = await handle.read(Buffer.alloc(ELF.length), 0, ELF.length, 0);
  return buffer.equals(ELF);
}

async function isSameFile(file: string, place: string): Promise<boolean> {
  const [one, other] = await Promise.all([stat(file), stat(place).catch(() => undefined)]);
  return one.dev === other?.dev && one.ino === other.ino;
}

async function answers(program: string): Promise<boolean> {
  try {
    const command = { file: program, args: ['--version'], env: PINNED_ENVIRONMENT };
    return (await run(command, { timeoutMs: CHECK_TIMEOUT_MS })).exitCode === 0;
  } catch {
    return false;
  }
}

function unbind(place: string): void {
  try {
    umount(place, UmountFlag.detach);
  } catch (error) {
    if (errnoCode(error) !== 'EINVAL') throw error;
  }
}

/** An older program may be bound there still. */
function ignoreReadOnly(error: unknown): void {
  if (!['EROFS', 'EACCES', 'ETXTBSY'].includes(errnoCode(error) ?? '')) throw error;
}
