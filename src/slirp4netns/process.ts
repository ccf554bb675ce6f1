/** Life of one slirp4netns process. It may outlive us: its end is tied to an exit descriptor, not to its parent. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { ProcessExit, StdioSlot } from '../sys/exec/command.ts';
import { type ChildProcessHandle, spawnProcess } from '../sys/exec/spawn.ts';
import type { SlirpFeatures } from './features.ts';
import { type SlirpOptions, slirpArguments } from './options.ts';
import { slirpStartFailed } from './slirp-errors.ts';

/** How to start the helper. */
export interface SlirpStart {
  /** Absolute path of the binary. */
  readonly file: string;
  readonly features: SlirpFeatures;
  readonly options: SlirpOptions;
  /** Read end of a pipe; the helper ends when the last writer of that pipe is gone. Stays the caller's to close. */
  readonly exitFd: number;
  /** Another descriptor of ours that the helper keeps open all its life, so that others can see its end. */
  readonly lifelineFd?: number;
  /** Receives what the helper prints; made anew. A file, because a pipe to us would kill the helper after our end. */
  readonly logPath: string;
  readonly startTimeoutMs: number;
}

/** A helper whose interface inside is up. */
export interface SlirpProcess {
  readonly pid: number;
  /** Resolves when it has ended. Known only while this process is its parent. */
  readonly exited: Promise<ProcessExit>;
}

const READY_SLOT = 3;
const EXIT_SLOT = 4;
const LOG_TAIL_BYTES = 4096;

/**
 * Starts slirp4netns in a session of its own and resolves when the interface inside is configured.
 * `unavailable` with what it printed when it ends or stays silent instead; then nothing of it is left.
 */
export async function startSlirp4netns(start: SlirpStart): Promise<SlirpProcess> {
  const args = slirpArguments(
    start.options,
    { readyFd: READY_SLOT, exitFd: EXIT_SLOT },
    start.features,
  );
  const child = spawnWithLog(start, args);
  const outcome = await Promise.race([
    waitForByte(child.readable(READY_SLOT)),
    child.exited.then(() => 'ended' as const),
    deadline(start.startTimeoutMs),
  ]);
  if (outcome === 'ready') return { pid: child.pid, exited: child.exited };
  child.kill('SIGKILL');
  await child.exited;
  const why = outcome === 'silent' ? `not ready after ${start.startTimeoutMs} ms` : 'it ended';
  throw slirpStartFailed(`${why}${printed(start.logPath)}`);
}

function spawnWithLog(start: SlirpStart, args: readonly string[]): ChildProcessHandle {
  const logFd = openSync(start.logPath, 'w', 0o600);
  try {
    const lifeline: readonly StdioSlot[] =
      start.lifelineFd === undefined ? [] : [{ fd: start.lifelineFd }];
    return spawnProcess(
      { file: start.file, args },
      {
        stdio: [
          'ignore',
          { fd: logFd },
          { fd: logFd },
          'pipe-out',
          { fd: start.exitFd },
          ...lifeline,
        ],
        detached: true,
      },
    );
  } finally {
    closeSync(logFd);
  }
}

/** The helper writes one byte; an end without it means that it is dying, which the exit tells better. */
function waitForByte(stream: Readable): Promise<'ready'> {
  return new Promise((resolve) => {
    stream.once('data', () => {
      stream.destroy();
      resolve('ready');
    });
  });
}

function deadline(timeoutMs: number): Promise<'silent'> {
  return new Promise((resolve) => {
    setTimeout(() => resolve('silent'), timeoutMs).unref();
  });
}

function printed(logPath: string): string {
  try {
    const text = readFileSync(logPath).subarray(-LOG_TAIL_BYTES).toString('utf8').trim();
    return text === '' ? '' : `: ${text}`;
  } catch {
    return '';
  }
}
