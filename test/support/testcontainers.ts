/** What Testcontainers finds when it looks around on a test's machine. */
import { existsSync } from 'node:fs';
import { REAPER_IMAGE } from 'testcontainers/build/reaper/reaper.js';
import type { TestDaemon } from './daemon.ts';
import { reaperArchive } from './reaper/reaper-image.ts';

/**
 * Loads the stand-in for the reaper under the name that the library asks for; answers the environment of a test run:
 * `DOCKER_HOST` alone says where the engine is.
 */
export async function readyForTestcontainers(
  daemon: TestDaemon,
): Promise<Readonly<Record<string, string>>> {
  const loaded = await daemon.dockerWith({ stdin: await reaperArchive(REAPER_IMAGE) }, 'load');
  if (loaded.code !== 0) throw new Error(`the reaper was not loaded: ${loaded.stderr}`);
  // On a machine that is itself a container, the library takes the bridge's gateway for the host.
  const host = existsSync('/.dockerenv') ? { TESTCONTAINERS_HOST_OVERRIDE: 'localhost' } : {};
  return { ...daemon.env, ...host };
}
