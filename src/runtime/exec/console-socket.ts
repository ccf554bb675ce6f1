/** Receiving the master of a terminal that a runtime made (the runtimes' `--console-socket`). */
import { randomBytes } from 'node:crypto';
import { closeSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { acceptConnection } from '../../sys/accept-connection.ts';
import { receiveDescriptor } from '../../sys/descriptor-passing.ts';
import { bindUnixSocket } from '../../sys/listening-socket.ts';

/** A listening socket for one terminal. */
export interface ConsoleSocket {
  /** For `--console-socket`. */
  readonly path: string;
  /** The master descriptor, which belongs to the caller; undefined when the runtime sent none. */
  receive(): Promise<number | undefined>;
  /** Stops listening and removes the socket. Idempotent. */
  close(): void;
}

/** Listens in `dir`, under a name short enough for runtimes that take no long socket paths. */
export function openConsoleSocket(dir: string): ConsoleSocket {
  const path = join(dir, `tty-${randomBytes(6).toString('hex')}`);
  const listener = bindUnixSocket(path, 0o600);
  let open = true;
  return {
    path,
    receive: () => receiveMaster(listener),
    close: () => {
      if (!open) return;
      open = false;
      closeSync(listener);
      rmSync(path, { force: true });
    },
  };
}

/**
 * To be called when the runtime has ended. It connects and sends without waiting for us (unix(7): both are taken by
 * the kernel), so whatever it sent is there by then.
 */
async function receiveMaster(listener: number): Promise<number | undefined> {
  const connection = acceptConnection(listener);
  if (connection === undefined) return undefined;
  try {
    return (await receiveDescriptor(connection))?.fd;
  } finally {
    closeSync(connection);
  }
}
