/** Creating a container together with its monitor. */
import type { Readable } from 'node:stream';
import * as v from 'valibot';
import type { ChildProcessHandle } from '../../sys/exec/spawn.ts';
import { spawnInOuterNetwork, spawnProcess } from '../../sys/exec/spawn.ts';
import { createFailed, monitorFailed } from '../runtime-errors.ts';
import { parseRuntimeFailure } from '../runtimes/parse-failure.ts';
import { conmonCommand, type MonitorRequest, SYNC_FD } from './conmon-command.ts';

/** conmon's one report: the pid, or -1 and what the runtime printed. */
const report = v.object({ pid: v.number(), message: v.optional(v.string(), '') });

const STDERR_FD = 2;

/** Pids of a container that waits to be started. */
export interface CreatedPids {
  readonly init: number;
  readonly monitor: number;
}

/**
 * Runs conmon until the runtime has created the container, whose init process then waits to be started. On failure
 * nothing runs, but files remain. `program` is the first argument of the process, for messages.
 */
export async function createMonitored(
  request: MonitorRequest,
  program: string,
): Promise<CreatedPids> {
  const spawn = request.hostNetwork ? spawnInOuterNetwork : spawnProcess;
  const monitor = await spawn(conmonCommand(request), {
    stdio: ['ignore', 'ignore', 'pipe-out', 'pipe-out'],
    detached: true,
  });
  const complaint = collect(monitor.readable(STDERR_FD));
  try {
    const line = await firstLine(monitor.readable(SYNC_FD));
    const init = pidOf(line, { program, complaint: complaint() });
    // It outlives us, so it must not keep us from ending either.
    monitor.unref();
    return { init, monitor: monitor.pid };
  } catch (error) {
    await monitor.exited;
    throw error;
  } finally {
    release(monitor);
  }
}

function pidOf(line: string, context: { program: string; complaint: string }): number {
  const parsed = v.safeParse(report, parseJson(line));
  if (!parsed.success) throw noReport(context.complaint.trim());
  const { pid, message } = parsed.output;
  if (pid > 0) return pid;
  const attempt = { operation: 'create', program: context.program } as const;
  throw createFailed(parseRuntimeFailure(message || context.complaint, attempt));
}

/** A monitor whose runtime was killed ends without a word; one that cannot do its own work says why. */
function noReport(complaint: string): Error {
  if (complaint !== '') return monitorFailed(complaint);
  return createFailed({ text: 'the runtime was killed before it was done', exitCode: 128 });
}

/** Everything up to the first newline or the end. */
function firstLine(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    stream.once('end', () => resolve(text));
    stream.once('close', () => resolve(text));
  });
}

function collect(stream: Readable): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    if (text.length < MOST_COMPLAINT_CHARS) text += chunk.toString('utf8');
  });
  return () => text;
}

const MOST_COMPLAINT_CHARS = 4096;

function release(monitor: ChildProcessHandle): void {
  monitor.readable(STDERR_FD).destroy();
  monitor.readable(SYNC_FD).destroy();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
