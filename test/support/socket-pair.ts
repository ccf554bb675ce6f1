/** Two ends of one connection in this process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The accepted end and the connecting one. */
export async function socketPair(): Promise<readonly [Socket, Socket]> {
  const dir = await mkdtemp(join(tmpdir(), 'wherry-pair-'));
  const path = join(dir, 's');
  try {
    return await new Promise((resolve, reject) => {
      const server = createServer((accepted) => {
        server.close();
        resolve([accepted, caller]);
      });
      let caller: Socket;
      server.listen(path, () => {
        caller = connect(path);
        caller.on('error', reject);
      });
    });
  } finally {
    await rm(dir, { recursive: true });
  }
}
