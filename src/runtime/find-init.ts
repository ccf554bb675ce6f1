/** Finds a small init program of the host that can run in any container (`docker run --init`). */
import { open } from 'node:fs/promises';
import { findExecutable } from '../sys/exec/find-executable.ts';

/** In order of preference: Docker's own name for tini, Debian's static build of it, podman's catatonit. */
const CANDIDATES = ['docker-init', 'tini-static', 'tini', 'catatonit'];
/** Where distributions keep helpers that are not meant for users. */
const HELPER_DIRS = '/usr/libexec/docker:/usr/libexec/podman:/usr/lib/podman:/usr/lib/catatonit';
/** A program header of this type names a dynamic loader (elf(5), PT_INTERP). */
const PT_INTERP = 3;

/**
 * Absolute path of a statically linked init, undefined when there is none: one that needs a loader would not
 * start in a container without that loader.
 */
export async function findInit(searchPath: string): Promise<string | undefined> {
  for (const name of CANDIDATES) {
    const path = await findExecutable(name, `${searchPath}:${HELPER_DIRS}`);
    if (path !== undefined && (await isStatic(path))) return path;
  }
  return undefined;
}

/** True for a 64-bit ELF program without an interpreter. */
async function isStatic(path: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    return isStaticElf(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** Reads the program headers (elf(5)); they follow the file header in every program that linkers make. */
export function isStaticElf(head: Buffer): boolean {
  const isElf64 = head.length >= 64 && head.readUInt32BE(0) === 0x7f454c46 && head[4] === 2;
  if (!isElf64) return false;
  const offset = Number(head.readBigUInt64LE(32));
  const entrySize = head.readUInt16LE(54);
  const count = head.readUInt16LE(56);
  for (let index = 0; index < count; index++) {
    const at = offset + index * entrySize;
    if (at + 4 > head.length) return false;
    if (head.readUInt32LE(at) === PT_INTERP) return false;
  }
  return true;
}
