/** Links to our API socket where tools look for one, made only where nobody else's is. */
import { lstat, mkdir, readlink, rm, rmdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RuntimePaths } from '../../sys/paths.ts';
import { isMissing } from '../../sys/system-errors.ts';
import { type RootsQuestion, userRuntimeDir } from '../default-roots.ts';

/** Where tools probe: rootless Docker's socket, Docker Desktop's. */
export function probePlaces(question: RootsQuestion): readonly string[] {
  const runtimeDir = userRuntimeDir(question);
  return [
    ...(runtimeDir === undefined ? [] : [join(runtimeDir, 'docker.sock')]),
    join(question.home, '.docker', 'run', 'docker.sock'),
  ];
}

/** Makes the links. A place that cannot be used, or is somebody else's, is left alone. */
export async function makeProbeLinks(paths: RuntimePaths, question: RootsQuestion): Promise<void> {
  for (const place of probePlaces(question)) await tryLink(paths.apiSocket, place);
}

/** Removes those of the links that still lead to our socket, and the directory that only held one. */
export async function removeProbeLinks(
  paths: RuntimePaths,
  places: readonly string[],
): Promise<void> {
  for (const place of places) {
    if ((await linkTarget(place)) !== paths.apiSocket) continue;
    await rm(place, { force: true });
    if (place.endsWith('.docker/run/docker.sock'))
      await rmdir(dirname(place)).catch(() => undefined);
  }
}

async function tryLink(target: string, place: string): Promise<void> {
  if (await exists(place)) return;
  try {
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    await symlink(target, place);
  } catch {
    // A convenience: a read-only home is no reason not to start.
  }
}

async function linkTarget(place: string): Promise<string | undefined> {
  return readlink(place).catch(() => undefined);
}

async function exists(place: string): Promise<boolean> {
  try {
    await lstat(place);
    return true;
  } catch (error) {
    return !isMissing(error);
  }
}
