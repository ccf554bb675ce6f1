/**
 * The anchor: one tiny process that holds the user, mount and network namespace. It outlives host and engine, so
 * that neither's restart touches the containers.
 */
import { closeSync, openSync, readlinkSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { DEFAULT_SEARCH_PATH } from '../../sys/exec/process-settings.ts';
import { type ChildProcessHandle, spawnProcess } from '../../sys/exec/spawn.ts';
import { pipe } from '../../sys/libc.ts';
import { identify, type ProcessIdentity } from '../../sys/proc/process-identity.ts';
import { namespacesRefused } from '../host-errors.ts';
import { MACHINE_MARK } from './machine-mark.ts';

/** A running anchor. */
export interface Anchor {
  readonly process: ProcessIdentity;
  /** Inode number of its user namespace: names the namespace among all of this boot. */
  readonly userNamespace: number;
}

const START_TIMEOUT_MS = 10_000;
const EXIT_PIPE_SLOT = 4;
const STDERR_SLOT = 2;

/**
 * Makes the namespaces. They have no id map yet. `unavailable` with the kernel's reason when it refuses; then
 * nothing is left.
 *
 * The anchor is `cat` on a pipe of which it holds both ends, so it never sees an end of input. One byte through it
 * proves that the namespaces exist: `cat` runs only after `unshare` has made them. It also holds the only write
 * end of a second pipe, by whose end others learn of the anchor's.
 */
export async function startAnchor(execRoot: string, searchPath: string): Promise<Anchor> {
  const child = spawnAnchor(execRoot, searchPath);
  const stderr = collect(child.readable(STDERR_SLOT));
  const outcome = await Promise.race([
    firstByte(child.readable(1)),
    child.exited.then(() => 'ended' as const),
    after(START_TIMEOUT_MS),
  ]);
  const process = outcome === 'alive' ? await identify(child.pid) : undefined;
  if (process === undefined) {
    child.kill('SIGKILL');
    await child.exited;
    throw namespacesRefused(stderr.text() || 'unshare ended without a word');
  }
  stderr.stop();
  child.unref();
  return { process, userNamespace: namespaceInode(child.pid, 'user') };
}

/** Opens the read end of the pipe whose only writer is the anchor. The caller closes it. */
export function openExitPipe(anchor: Anchor): number {
  return openSync(`/proc/${anchor.process.pid}/fd/${EXIT_PIPE_SLOT}`, 'r');
}

/** Inode number of one of a process's namespaces. Throws node's error when the process is gone. */
export function namespaceInode(pid: number, kind: 'user' | 'net' | 'mnt'): number {
  return Number(readlinkSync(`/proc/${pid}/ns/${kind}`).replace(/\D/g, ''));
}

function spawnAnchor(execRoot: string, searchPath: string): ChildProcessHandle {
  const input = pipe();
  const exit = pipe();
  try {
    writeSync(input.write, '\n');
    return spawnProcess(
      {
        file: 'unshare',
        args: ['--user', '--mount', '--net', '--propagation', 'slave', '--', 'cat'],
        // The system's own `cat` first: people put other programs of that name into their path.
        env: { [MACHINE_MARK]: execRoot, PATH: `${DEFAULT_SEARCH_PATH}:${searchPath}` },
        cwd: '/',
      },
      {
        stdio: [
          { fd: input.read },
          'pipe-out',
          'pipe-out',
          { fd: input.write },
          { fd: exit.write },
        ],
        detached: true,
      },
    );
  } finally {
    for (const fd of [input.read, input.write, exit.read, exit.write]) closeSync(fd);
  }
}

function firstByte(stream: Readable): Promise<'alive'> {
  return new Promise((resolve) => {
    stream.once('data', () => {
      stream.destroy();
      resolve('alive');
    });
  });
}

function collect(stream: Readable): { text: () => string; stop: () => void } {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  return { text: () => text.trim(), stop: () => stream.destroy() };
}

function after(timeoutMs: number): Promise<'late'> {
  return new Promise((resolve) => {
    setTimeout(() => resolve('late'), timeoutMs).unref();
  });
}
