/** Life of one slirp4netns process. It may outlive us: its end is tied to an exit descriptor, not to its parent. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { messageOf } from '../shared/errors.ts';
import type { StdioSlot } from '../sys/exec/command.ts';
import { type Helper, supervise } from '../sys/exec/supervise.ts';
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
  /** Receives what the helper prints; made anew. A file, because a pipe to us would kill the helper after our end. */
  readonly logPath: string;
  readonly startTimeoutMs: number;
}

const READY_SLOT = 3;
const EXIT_SLOT = 4;
const STOP_TIMEOUT_MS = 2_000;
const LOG_TAIL_BYTES = 4096;

/**
 * Starts slirp4netns in a session of its own and resolves when the interface inside is configured.
 * `unavailable` with what it printed when it ends or stays silent instead; then nothing of it is left.
 */
export async function startSlirp4netns(start: SlirpStart): Promise<Helper> {
  const args = slirpArguments(
    start.options,
    { readyFd: READY_SLOT, exitFd: EXIT_SLOT },
    start.features,
  );
  const logFd = openSync(start.logPath, 'w', 0o600);
  const log: StdioSlot = { fd: logFd };
  try {
    return await supervise(
      { file: start.file, args },
      {
        stdio: ['ignore', log, log, 'pipe-out', { fd: start.exitFd }],
        ready: { fd: READY_SLOT },
        detached: true,
        startTimeoutMs: start.startTimeoutMs,
        stopTimeoutMs: STOP_TIMEOUT_MS,
      },
    );
  } catch (error) {
    throw slirpStartFailed(`${messageOf(error)}${printed(start.logPath)}`, error);
  } finally {
    closeSync(logFd);
  }
}

function printed(logPath: string): string {
  const text = readFileSync(logPath).subarray(-LOG_TAIL_BYTES).toString('utf8').trim();
  return text === '' ? '' : `; it printed: ${text}`;
}
