/** The guest's end of the channel: a virtio-serial port, which is a character device. */
import { openSync, read, write } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { noSuchPort } from './guest-errors.ts';

const PORTS_DIR = '/sys/class/virtio-ports';
const CHUNK_BYTES = 64 * 1024;
/** The device reads as empty while nobody is on the other side. */
const RETRY_MS = 50;

/** Opens the port that the machine calls `name`. `not-found` when it has none. */
export async function openPort(name: string): Promise<Duplex> {
  for (const device of await readdir(PORTS_DIR).catch(() => [])) {
    const found = await readFile(join(PORTS_DIR, device, 'name'), 'utf8').catch(() => '');
    if (found.trim() !== name) continue;
    return new DevicePort(openSync(join('/dev', device), 'r+'));
  }
  throw noSuchPort(name);
}

/** Reading and writing each keep a thread of node's pool. */
class DevicePort extends Duplex {
  readonly #fd: number;

  constructor(fd: number) {
    super({ allowHalfOpen: false });
    this.#fd = fd;
  }

  override _read(): void {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    read(this.#fd, buffer, 0, buffer.length, null, (error, size) => {
      if (error !== null) this.destroy(error);
      else if (size > 0) this.push(buffer.subarray(0, size));
      else setTimeout(() => this._read(), RETRY_MS);
    });
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error | null) => void): void {
    write(this.#fd, chunk, 0, chunk.length, null, (error, size) => {
      if (error !== null) done(error);
      else if (size < chunk.length) this._write(chunk.subarray(size), _, done);
      else done();
    });
  }
}
