/** Where the guest's daemon asks the host: a unix socket, each connection of which is a stream to the host. */
import { chownSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { joinStreams } from '../channel/join-streams.ts';
import { OUTER_TARGET } from '../channel/targets.ts';

/** Requests are short; whoever writes more before its first line ends is not our daemon. */
const MAX_REQUEST_BYTES = 4096;
const NEWLINE = 10;

export interface OuterDoorOptions {
  readonly path: string;
  /** Who may ask, besides root. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Opens a stream to the host. */
  readonly open: (target: string) => Duplex;
}

/** Listens until the server is closed. */
export function openOuterDoor({ path, owner, open }: OuterDoorOptions): Server {
  rmSync(path, { force: true });
  const server = createServer({ allowHalfOpen: true }, (caller) => {
    caller.on('error', () => undefined);
    let held = Buffer.alloc(0);
    const hear = (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      const end = held.indexOf(NEWLINE);
      if (end < 0) {
        if (held.length > MAX_REQUEST_BYTES) caller.destroy();
        return;
      }
      caller.off('data', hear).pause();
      const rest = held.subarray(end + 1);
      if (rest.length > 0) caller.unshift(rest);
      joinStreams(caller, open(`${OUTER_TARGET} ${held.toString('utf8', 0, end)}`));
    };
    caller.on('data', hear);
  });
  const umask = process.umask(0o077);
  // Binding happens at once.
  server.listen(path);
  process.umask(umask);
  server.once('listening', () => chownSync(path, owner.uid, owner.gid));
  return server;
}
