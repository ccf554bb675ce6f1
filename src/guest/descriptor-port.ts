/** A byte channel over descriptors that node's `net` does not know. */
import { read, write } from 'node:fs';
import { Duplex } from 'node:stream';

export interface DescriptorPortOptions {
  readonly readFd: number;
  readonly writeFd: number;
  /** `wait`: reading nothing means that nobody is on the other side now. `end`: nobody will be again. */
  readonly atNothing: 'wait' | 'end';
}

const CHUNK_BYTES = 64 * 1024;
const RETRY_MS = 50;

/** Reading and writing each keep a thread of node's pool. The descriptors stay open. */
export class DescriptorPort extends Duplex {
  readonly #options: DescriptorPortOptions;

  constructor(options: DescriptorPortOptions) {
    super({ allowHalfOpen: false });
    this.#options = options;
  }

  override _read(): void {
    const { readFd, atNothing } = this.#options;
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    read(readFd, buffer, 0, buffer.length, null, (error, size) => {
      if (error !== null) this.destroy(error);
      else if (size > 0) this.push(buffer.subarray(0, size));
      else if (atNothing === 'end') this.push(null);
      else setTimeout(() => this._read(), RETRY_MS);
    });
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error | null) => void): void {
    write(this.#options.writeFd, chunk, 0, chunk.length, null, (error, size) => {
      if (error !== null) done(error);
      else if (size < chunk.length) this._write(chunk.subarray(size), _, done);
      else done();
    });
  }
}
