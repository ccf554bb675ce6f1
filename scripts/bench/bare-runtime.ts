/**
 * The floor: an OCI runtime without any engine. Runs inside a user and mount namespace of its own and prints
 * one JSON line: `{ "crun": { "runMs": …, "execMs": … }, … }`.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool } from '../setup/requirements.ts';
import { medianMs } from './measure.ts';

const ROUNDS = 15;
const UNIFIED_MOUNT = '/sys/fs/cgroup/unified';

/** Times of one runtime, milliseconds. */
export interface BareTimes {
  readonly runMs: number;
  readonly execMs: number;
}

interface RuntimeConfig {
  process: { args: string[]; terminal: boolean };
  root: { path: string };
  mounts: { destination: string }[];
  linux: { namespaces: { type: string }[]; resources?: unknown };
}

function runtimeCommand(name: string, stateDir: string): readonly string[] {
  const manager = name === 'crun' ? ['--cgroup-manager=disabled'] : [];
  return [name, ...manager, '--root', stateDir];
}

function must([file = '', ...args]: readonly string[], cwd: string): void {
  // No pipes: a detached container would hold them open for its whole life.
  const { status } = spawnSync(file, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: exit ${status}`);
}

function writeBundle(name: string, bundle: string, args: readonly string[]): void {
  const path = join(bundle, 'config.json');
  rmSync(path, { force: true });
  must([name, 'spec'], bundle);
  const config: RuntimeConfig = JSON.parse(readFileSync(path, 'utf8'));
  config.process.args = [...args];
  config.process.terminal = false;
  config.mounts = config.mounts.filter(({ destination }) => destination !== '/sys/fs/cgroup');
  config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'cgroup');
  delete config.linux.resources;
  writeFileSync(path, JSON.stringify(config));
}

async function measure(name: string): Promise<BareTimes> {
  const bundle = mkdtempSync(join(tmpdir(), 'bare-'));
  const command = runtimeCommand(name, join(bundle, 'state'));
  try {
    mkdirSync(join(bundle, 'rootfs/bin'), { recursive: true });
    const busybox = findTool('busybox') ?? 'busybox';
    for (const applet of ['true', 'sleep']) {
      copyFileSync(busybox, join(bundle, 'rootfs/bin', applet));
    }
    writeBundle(name, bundle, ['/bin/true']);
    const runMs = await medianMs(ROUNDS, async () => must([...command, 'run', 'once'], bundle));
    writeBundle(name, bundle, ['/bin/sleep', '1000']);
    must([...command, 'run', '--detach', 'long'], bundle);
    const execMs = await medianMs(ROUNDS, async () =>
      must([...command, 'exec', 'long', '/bin/true'], bundle),
    );
    must([...command, 'delete', '--force', 'long'], bundle);
    return { runMs, execMs };
  } finally {
    rmSync(bundle, { recursive: true, force: true });
  }
}

// crun refuses hybrid hierarchies; in this mount namespace the v2 one may stand in for them.
spawnSync('mount', ['--bind', UNIFIED_MOUNT, '/sys/fs/cgroup'], { stdio: 'ignore' });
const times: Record<string, BareTimes> = {};
for (const name of ['crun', 'runc']) {
  if (findTool(name) === undefined) continue;
  try {
    times[name] = await measure(name);
  } catch (error) {
    console.error(`${name} is left out: ${error instanceof Error ? error.message : error}`);
  }
}
console.log(JSON.stringify(times));
