/** The guest's end of the channel: what it is depends on the machine. */
import { openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { PORT_NAME, VSOCK_PORT } from '../channel/targets.ts';
import { acceptVsock } from '../sys/vsock.ts';
import { DescriptorPort } from './descriptor-port.ts';
import { noSuchPort } from './guest-errors.ts';

const PORTS_DIR = '/sys/class/virtio-ports';

/** `vsock`: waits for the host to connect. `stdio`: our own. Otherwise a port of virtio-serial; `not-found` without one. */
export async function openTransport(kind: string | undefined): Promise<Duplex> {
  if (kind === 'stdio') return new DescriptorPort({ readFd: 0, writeFd: 1, atNothing: 'end' });
  if (kind === 'vsock') {
    const fd = await acceptVsock(VSOCK_PORT);
    return new DescriptorPort({ readFd: fd, writeFd: fd, atNothing: 'end' });
  }
  const fd = openSync(await portDevice(PORT_NAME), 'r+');
  return new DescriptorPort({ readFd: fd, writeFd: fd, atNothing: 'wait' });
}

async function portDevice(name: string): Promise<string> {
  for (const device of await readdir(PORTS_DIR).catch(() => [])) {
    const found = await readFile(join(PORTS_DIR, device, 'name'), 'utf8').catch(() => '');
    if (found.trim() === name) return join('/dev', device);
  }
  throw noSuchPort(name);
}
