/** Sockets between a virtual machine and its host (vsock(7)), which node's `net` cannot open. */
import { closeSync } from 'node:fs';
import { backgroundFunction, checked, nativeFunction } from './native.ts';
import { openSocket, SocketType } from './socket-calls.ts';
import { systemError } from './system-errors.ts';

const AF_VSOCK = 40;
const ADDRESS_BYTES = 16;
/** `VMADDR_CID_ANY`. */
const ANYBODY = 0xffffffff;

const cBind = nativeFunction('int bind(int fd, const void *address, unsigned int length)');
const cListen = nativeFunction('int listen(int fd, int backlog)');
const cAccept = backgroundFunction('int accept(int fd, void *address, void *length)');

/** Waits for one connection to `port` and listens no more. The descriptor, which blocks, belongs to the caller. */
export async function acceptVsock(port: number): Promise<number> {
  const fd = openSocket(AF_VSOCK, SocketType.stream);
  try {
    const address = Buffer.alloc(ADDRESS_BYTES);
    address.writeUInt16LE(AF_VSOCK, 0);
    address.writeUInt32LE(port, 4);
    address.writeUInt32LE(ANYBODY, 8);
    checked(cBind(fd, address, address.length), 'bind', `vsock port ${port}`);
    checked(cListen(fd, 1), 'listen');
    const { result, errno } = await cAccept(fd, null, null);
    if (result < 0) throw systemError({ call: 'accept', errno });
    return result;
  } finally {
    closeSync(fd);
  }
}
