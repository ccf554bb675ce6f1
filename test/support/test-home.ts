/** A throw-away home for one test file: every place that the daemon and the docker client write to. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

/** Directories of a test. Short names: socket paths have a limit of 107 bytes. */
export interface TestHome extends AsyncDisposable {
  readonly root: string;
  readonly runtimeDir: string;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Makes the directories; disposing removes them with everything in them. */
export async function makeTestHome(): Promise<TestHome> {
  const root = await mkdtemp(join(tmpdir(), 'wh-'));
  const place = (name: string) => join(root, name);
  const dirs = { runtime: place('run'), data: place('data'), config: place('conf') };
  await Promise.all(Object.values(dirs).map((dir) => mkdir(dir, { mode: 0o700 })));
  return {
    root,
    runtimeDir: dirs.runtime,
    dataDir: dirs.data,
    env: {
      HOME: root,
      XDG_RUNTIME_DIR: dirs.runtime,
      XDG_DATA_HOME: dirs.data,
      XDG_CONFIG_HOME: dirs.config,
      XDG_CACHE_HOME: place('cache'),
      DOCKER_CONFIG: place('.docker'),
      PATH: process.env['PATH'] ?? '',
      LANG: 'C.UTF-8',
    },
    [Symbol.asyncDispose]: () => removeTree(root),
  };
}

/** Layers hold files of subordinate ids, which only root of a user namespace that maps them can remove. */
async function removeTree(root: string): Promise<void> {
  const asMappedRoot = ['unshare', '--user', '--map-root-user', '--map-auto'];
  await runCommand([...asMappedRoot, 'rm', '-rf', '--one-file-system', root]);
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
}
