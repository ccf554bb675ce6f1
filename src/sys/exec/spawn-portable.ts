/** Processes through node's own spawn: for systems without our native calls. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { invariant } from '../../shared/errors.ts';
import type { Command, ProcessExit, SpawnOptions, StdioSlot } from './command.ts';
import { cannotExecute } from './exec-errors.ts';
import { resolveProgram } from './resolve-program.ts';
import type { ChildProcessHandle } from './spawn.ts';

/** `spawnProcess` by `node:child_process`. Same contract; slower, as node copies its whole address space. */
export function spawnPortable(command: Command, options: SpawnOptions): ChildProcessHandle {
  const { path, argv, env } = resolveProgram(command);
  const child = spawn(path, argv.slice(1), {
    argv0: command.file,
    env,
    stdio: options.stdio.map(toNodeStdio),
    detached: options.detached === true,
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
  });
  // A failed execution arrives as an event even after `pid` told us; unhandled it would end this program.
  child.on('error', ignore);
  const { pid } = child;
  if (pid === undefined) throw cannotExecute(command, spawnFailure(command));
  for (const stream of child.stdio) stream?.on('error', ignore);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  return {
    pid,
    exited,
    readable: (slot) => streamAt<Readable>(child.stdio, slot),
    writable: (slot) => streamAt<Writable>(child.stdio, slot),
    kill: (signal) => child.exitCode === null && child.signalCode === null && child.kill(signal),
    unref: () => child.unref(),
  };
}

function toNodeStdio(slot: StdioSlot): 'ignore' | 'pipe' | number {
  if (typeof slot === 'object') return slot.fd;
  return slot === 'ignore' ? 'ignore' : 'pipe';
}

/** Node tells the errno in an event to come; it is wanted now, and the two likely reasons can be told apart. */
function spawnFailure(command: Command): string {
  return command.cwd !== undefined && !existsSync(command.cwd) ? 'ENOENT' : 'EACCES';
}

function streamAt<T>(streams: readonly unknown[], slot: number): T {
  const stream = streams[slot];
  invariant(stream !== null && stream !== undefined, `descriptor ${slot} is not a pipe`);
  return stream as T;
}

function ignore(): undefined {
  return undefined;
}
