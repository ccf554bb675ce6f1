/** Errors of starting and running programs. */
import { basename } from 'node:path';
import { EngineError } from '../../shared/errors.ts';
import type { Command, Completed } from './command.ts';
import { redactArguments } from './process-settings.ts';

/** Which distribution package brings a program, where its name does not say so (Debian / Fedora). */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  newuidmap: 'uidmap (shadow-utils)',
  newgidmap: 'uidmap (shadow-utils)',
  ip: 'iproute2 (iproute)',
  nft: 'nftables',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  mkfs: 'e2fsprogs',
  passt: 'passt',
  pasta: 'passt',
};

/** How much of the error output an error message shows. */
const SHOWN_BYTES = 4096;

/** The program is not installed. `details.program` names it. */
export function programNotFound(file: string): EngineError {
  const name = basename(file);
  return new EngineError(
    'unavailable',
    `${name} not found: install package ${PACKAGE_OF[name] ?? name}`,
    { details: { code: 'ENOENT', program: name } },
  );
}

/** The kernel refused to execute the program; `code` is the errno name. */
export function cannotExecute(command: Command, code: string): EngineError {
  const where = command.cwd === undefined ? '' : ` in ${command.cwd}`;
  return new EngineError('internal', `execute ${command.file}${where}: ${code}`, {
    details: { code, program: basename(command.file) },
  });
}

/** The program ended in another way than it should. Carries its exit and the end of its error output. */
export function commandFailed(completed: Completed, what: string): EngineError {
  const output = completed.stderr.trim() === '' ? completed.stdout : completed.stderr;
  const shown = output.trim().slice(-SHOWN_BYTES);
  return new EngineError(
    'internal',
    `${what}: ${endOf(completed)}${shown === '' ? '' : `: ${shown}`}`,
    {
      details: {
        argv: commandLine(completed.command),
        ...(completed.exitCode === null ? {} : { exitCode: String(completed.exitCode) }),
        ...(completed.signal === null ? {} : { signal: completed.signal }),
      },
    },
  );
}

/** The program ran longer than it may; it was killed. */
export function commandTimedOut(command: Command, timeoutMs: number): EngineError {
  return new EngineError(
    'deadline',
    `${basename(command.file)} did not end within ${timeoutMs} ms`,
    {
      details: { argv: commandLine(command) },
    },
  );
}

/** The caller gave up; the program was killed. */
export function commandCancelled(command: Command, cause: unknown): EngineError {
  return new EngineError('cancelled', `${basename(command.file)} was cancelled`, { cause });
}

/** A helper did not get ready; `reason` says how it ended or that time ran out. */
export function helperNotReady(command: Command, reason: string, output: string): EngineError {
  const shown = output.trim().slice(-SHOWN_BYTES);
  const detail = shown === '' ? '' : `: ${shown}`;
  return new EngineError(
    'unavailable',
    `${basename(command.file)} did not start: ${reason}${detail}`,
    {
      details: { argv: commandLine(command) },
    },
  );
}

function endOf(completed: Completed): string {
  return completed.signal === null
    ? `exit code ${completed.exitCode}`
    : `killed by ${completed.signal}`;
}

function commandLine(command: Command): string {
  return redactArguments([command.file, ...command.args]).join(' ');
}
