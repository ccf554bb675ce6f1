/** `bridge SOCKET PROGRAM ARGUMENT…`: the program's standard input and output as a socket. Ends when the program does. */
import { bridgeStdio } from '../host/vm/stdio-bridge.ts';
import { messageOf } from '../shared/errors.ts';
import { configureProcesses } from '../sys/exec/process-settings.ts';
import { definedOnly } from './base-environment.ts';

const [path = '', file = '', ...args] = process.argv.slice(2);
try {
  configureProcesses({ environment: definedOnly(process.env) });
  const { exitCode } = await bridgeStdio(path, { file, args });
  process.exitCode = exitCode ?? 1;
} catch (error) {
  process.stderr.write(`wherry: failed ${messageOf(error)}\n`);
  process.exitCode = 1;
}
