/** Everything a daemon holds on its machine, as sorted lines: equal before and after a crash when nothing leaked. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestHome } from '../test-home.ts';
import { processIdsOf, userNamespaceOf } from '../traces.ts';

/** Processes whose things are counted. */
export interface CountedProcesses {
  readonly anchor: number;
  readonly host: number;
}

/** Directories of the data root whose entries stand for things that can leak. */
const DATA_DIRS = [
  'containers',
  'volumes',
  'networks',
  'images',
  'builds',
  'build-cache',
  'build-cache-mounts',
  'build-contexts',
  'content/ingest',
  'content/blobs/sha256',
  'snapshots/overlay/active',
  'snapshots/overlay/layers',
  'snapshots/overlay/removing',
];

/** Directories of the runtime root, with everything below them. */
const RUNTIME_DIRS = [
  'build-secrets',
  'containers',
  'exits',
  'sandboxes',
  'l',
  'rootfs',
  'pins',
  'trees',
  'runtimes',
];

/** One line for each process, mount, interface, listening port, file of the runtime root and entry of the data. */
export async function inventoryOf(
  home: TestHome,
  processes: CountedProcesses,
): Promise<readonly string[]> {
  const parts = await Promise.all([
    processNames(home, processes.anchor),
    mounts(home, processes.anchor),
    interfaces(processes.anchor),
    listeningPorts(processes.host),
    filesBelow(join(home.runtimeDir, 'wherry'), RUNTIME_DIRS),
    // As the daemon sees it: a test may have mounted something there for it alone.
    entriesOf(join(`/proc/${processes.anchor}/root`, home.dataDir, 'wherry'), DATA_DIRS),
  ]);
  return parts.flat().toSorted();
}

async function processNames(home: TestHome, anchor: number): Promise<readonly string[]> {
  const pids = await processIdsOf(home, await userNamespaceOf(anchor));
  const names = pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''));
  return (await Promise.all(names)).map((name) => `process ${name.trim()}`);
}

async function mounts(home: TestHome, pid: number): Promise<readonly string[]> {
  const lines = (await readFile(`/proc/${pid}/mountinfo`, 'utf8')).split('\n');
  const points = lines.map((line) => line.split(' ')[4] ?? '');
  return points.filter((point) => point.startsWith(home.root)).map((point) => `mount ${point}`);
}

async function interfaces(pid: number): Promise<readonly string[]> {
  const lines = (await readFile(`/proc/${pid}/net/dev`, 'utf8')).split('\n').slice(2);
  return lines.filter(Boolean).map((line) => `interface ${line.split(':')[0]?.trim()}`);
}

/** TCP ports on which the host process listens. */
async function listeningPorts(host: number): Promise<readonly string[]> {
  const fds = await readdir(`/proc/${host}/fd`);
  const targets = fds.map((fd) => readlink(`/proc/${host}/fd/${fd}`).catch(() => ''));
  const own = new Set(await Promise.all(targets));
  const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((row) => row.split(/ +/));
  return rows
    .filter((row) => row[4] === LISTENING && own.has(`socket:[${row[10]}]`))
    .map((row) => `port ${row[2]}`);
}

/** State of a listening socket in `/proc/net/tcp`. */
const LISTENING = '0A';

async function filesBelow(root: string, dirs: readonly string[]): Promise<readonly string[]> {
  const lists = dirs.map(async (dir) => {
    const names = await readdir(join(root, dir), { recursive: true }).catch(() => []);
    return names.map((name) => `file ${dir}/${name}`);
  });
  return (await Promise.all(lists)).flat();
}

async function entriesOf(root: string, dirs: readonly string[]): Promise<readonly string[]> {
  const lists = dirs.map(async (dir) => {
    const names = await readdir(join(root, dir)).catch(() => []);
    return names.map((name) => `data ${dir}/${name}`);
  });
  return (await Promise.all(lists)).flat();
}
