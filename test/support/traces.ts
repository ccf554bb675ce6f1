/** What a daemon leaves on the machine: the promise is nothing, once it is down. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestHome } from './test-home.ts';

/** Everything found, each with a line that tells what it is. */
export interface Traces {
  readonly processes: readonly string[];
  readonly sockets: readonly string[];
  readonly mounts: readonly string[];
  readonly files: readonly string[];
}

/** No trace of anything. */
export const NO_TRACES: Traces = { processes: [], sockets: [], mounts: [], files: [] };

/** The user namespace of a process as a comparable name, undefined when there is no such process. */
export function userNamespaceOf(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/user`).catch(() => undefined);
}

/**
 * Looks for processes (of the user namespace `namespace`, or with the home in their command line), sockets and
 * mounts under the home, and files in its runtime directory.
 */
export async function tracesOf(home: TestHome, namespace: string | undefined): Promise<Traces> {
  const lines = async (path: string) => (await readFile(path, 'utf8')).split('\n');
  const ours = (line: string) => line.includes(`${home.root}/`);
  return {
    processes: await processesOf(home, namespace),
    sockets: (await lines('/proc/net/unix')).filter(ours),
    mounts: (await lines('/proc/self/mountinfo')).filter(ours),
    files: await readdir(home.runtimeDir, { recursive: true }).catch(() => []),
  };
}

/** Process ids that belong to a daemon: in its user namespace, or with its home in their command line. */
export async function processIdsOf(
  home: TestHome,
  namespace: string | undefined,
): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const ours = await Promise.all(
    pids.map(async (pid) => {
      if (pid === process.pid || (await isZombie(pid))) return false;
      const inside = namespace !== undefined && (await userNamespaceOf(pid)) === namespace;
      return inside || (await commandLine(pid)).includes(`${home.root}/`);
    }),
  );
  return pids.filter((_, at) => ours[at] === true);
}

async function processesOf(
  home: TestHome,
  namespace: string | undefined,
): Promise<readonly string[]> {
  const pids = await processIdsOf(home, namespace);
  return Promise.all(pids.map(async (pid) => `${pid} ${await commandLine(pid)}`));
}

/** Ended, and waiting for whoever inherited it to take notice. */
async function isZombie(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return /\) [ZX] /.test(stat);
}

/** Program and arguments of a process, apart by spaces; empty when it is gone. */
export async function commandLine(pid: number): Promise<string> {
  const raw = await readFile(join('/proc', String(pid), 'cmdline'), 'utf8').catch(() => '');
  return raw.replaceAll('\0', ' ').trim();
}
