/** Makes a socket of a program's standard input and output, so that hosts may come and go while it runs. */
import { createServer, type Socket } from 'node:net';
import type { Command, ProcessExit } from '../../sys/exec/command.ts';
import { spawnProcess } from '../../sys/exec/spawn.ts';

const STDERR = 2;

/**
 * Runs `command` and listens at `path` until it has ended; resolves to how. One client at a time: a new one takes the
 * place of the one before. What a client leaves unfinished is for both ends of the channel to notice.
 */
export async function bridgeStdio(path: string, command: Command): Promise<ProcessExit> {
  const child = spawnProcess(command, { stdio: ['pipe-in', 'pipe-out', { fd: STDERR }] });
  const [input, output] = [child.writable(0), child.readable(1)];
  let present: Socket | undefined;
  const server = createServer((client) => {
    present?.destroy();
    present = client;
    client.on('error', () => undefined);
    client.once('close', () => {
      output.unpipe(client);
      if (present === client) present = undefined;
    });
    client.pipe(input, { end: false });
    output.pipe(client, { end: false });
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    return await child.exited;
  } finally {
    child.kill('SIGTERM');
    present?.destroy();
    server.close();
  }
}
