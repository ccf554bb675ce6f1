/** Starting a daemon that goes on when the command that started it has ended. */
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import * as v from 'valibot';
import { LineDecoder } from '../../handshake/line-codec.ts';
import type { Command } from '../../sys/exec/command.ts';
import { type ChildProcessHandle, spawnProcess } from '../../sys/exec/spawn.ts';
import { daemonDidNotStart } from '../host-errors.ts';

/** What to start and where its log goes. */
export interface BackgroundStart {
  readonly command: Command;
  /** Appended to; put aside as `….1` first when it has grown. */
  readonly logPath: string;
  readonly timeoutMs: number;
}

const MAX_LOG_BYTES = 16 * 1024 * 1024;
const SHOWN_LOG_LINES = 10;

const eventSchema = v.looseObject({
  event: v.string(),
  hosts: v.optional(v.array(v.string())),
  error: v.optional(v.string()),
});

/**
 * Starts the daemon in a session of its own and resolves to its API addresses once they answer. `unavailable`
 * with the end of its log when it ends or stays silent instead; a silent one is stopped.
 */
export async function startInBackground(start: BackgroundStart): Promise<readonly string[]> {
  putAsideLargeLog(start.logPath);
  const logFd = openSync(start.logPath, 'a', 0o600);
  const logStart = statSync(start.logPath).size;
  let child: ChildProcessHandle;
  try {
    child = spawnProcess(start.command, {
      stdio: ['ignore', 'pipe-out', { fd: logFd }],
      detached: true,
    });
  } finally {
    closeSync(logFd);
  }
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), start.timeoutMs);
  const outcome = await Promise.race([
    readiness(child),
    child.exited.then((exit) => `it ended with ${exit.signal ?? `exit code ${exit.exitCode}`}`),
    aborted(timeout.signal).then(() => `not ready after ${start.timeoutMs / 1000} s`),
  ]);
  clearTimeout(timer);
  child.readable(1).destroy();
  child.unref();
  if (typeof outcome !== 'string') return outcome;
  if (timeout.signal.aborted) child.kill('SIGTERM');
  throw daemonDidNotStart(`${outcome}${shownLog(start.logPath, logStart)}`);
}

/** Resolves to the addresses; stays pending when the daemon ends, which its exit tells. */
function readiness(child: ChildProcessHandle): Promise<readonly string[]> {
  const decoder = new LineDecoder();
  return new Promise((resolve) => {
    child.readable(1).on('data', (chunk: Buffer) => {
      for (const value of decoder.push(chunk)) {
        const event = v.parse(eventSchema, value);
        if (event.event === 'ready') resolve(event.hosts ?? []);
      }
    });
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}

function putAsideLargeLog(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
}

/** The last lines that this daemon wrote, not an earlier one. */
function shownLog(path: string, from: number): string {
  const text = readFileSync(path).subarray(from).toString('utf8').trim();
  if (text === '') return '';
  return `; its log (${path}) ends with:\n${text.split('\n').slice(-SHOWN_LOG_LINES).join('\n')}`;
}
