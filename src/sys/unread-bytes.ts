/** What the other end of a connection has not read yet. */
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { socketDescriptor } from './descriptor-passing.ts';
import { nativeFunction } from './native.ts';

/** SIOCOUTQ of unix(7): memory of what was sent and not read; of tcp(7): bytes sent and not acknowledged. */
const SIOCOUTQ = 0x5411;
const LOOK_AGAIN_MS = 1;

const cIoctl = nativeFunction('int ioctl(int fd, unsigned long request, void *argument)');

/**
 * Resolves once the peer has read everything that we sent, at the latest after `withinMs`, or when the connection is
 * closed. Never rejects: where nobody can tell it resolves at once.
 */
export async function readByPeer(socket: Socket, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  const unread = new Int32Array(1);
  while (!socket.destroyed && performance.now() < deadline) {
    try {
      const result = cIoctl(socketDescriptor(socket), SIOCOUTQ, unread);
      if (result < 0 || (unread[0] === 0 && socket.writableLength === 0)) return;
    } catch {
      return;
    }
    await pause(LOOK_AGAIN_MS);
  }
}
