/** From a command to the file that is executed and the environment it gets. */
import type { Command } from './command.ts';
import { programNotFound } from './exec-errors.ts';
import { findExecutableSync } from './find-executable.ts';
import { environmentOf } from './process-settings.ts';

/** A command ready for the kernel. */
export interface Program {
  readonly path: string;
  /** Includes the name the program sees as its own. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Looks the file up along the command's own PATH. `unavailable` when it is not there. */
export function resolveProgram(command: Command): Program {
  const env = environmentOf(command);
  const path = findExecutableSync(command.file, env['PATH'] ?? '');
  if (path === undefined) throw programNotFound(command.file);
  return { path, argv: [command.file, ...command.args], env };
}
