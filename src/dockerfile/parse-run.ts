/** RUN, and the commands of CMD and ENTRYPOINT. */
import { parseError } from './dockerfile-errors.ts';
import type { CommandForm, RunInstruction } from './instruction.ts';
import { flagValue, flagValues, jsonList, takeFlags } from './instruction-text.ts';
import type { SourceInstruction } from './source-instruction.ts';

const FLAGS = ['mount', 'network', 'security', 'device'];

/** A JSON list is executed as it is, anything else is a line for the shell. */
export function parseCommand(text: string): CommandForm {
  const list = jsonList(text);
  return list === undefined ? { form: 'shell', line: text } : { form: 'exec', args: list };
}

export function parseRun(source: SourceInstruction): RunInstruction {
  const { range, heredocs } = source;
  const rules = { keyword: 'RUN', known: FLAGS, repeatable: ['mount', 'device'], range };
  const { flags, rest } = takeFlags(source.text, rules);
  if (rest === '') throw parseError(range, 'RUN requires at least one argument');
  return {
    kind: 'RUN',
    command: parseCommand(rest),
    heredocs,
    mounts: flagValues(flags, 'mount'),
    network: flagValue(flags, 'network'),
    security: flagValue(flags, 'security'),
    devices: flagValues(flags, 'device'),
  };
}
