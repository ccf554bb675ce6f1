/** The master side of a pseudo terminal as a node stream. */
import { closeSync, readSync, writeSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { setNonBlocking } from '../libc.ts';
import { errnoCode } from '../system-errors.ts';
import { type DescriptorWatch, watchDescriptor } from '../watch-descriptor.ts';

type Done = (error?: Error | null) => void;
type Interest = 'readable' | 'writable' | 'both';

/** Input that the terminal had no room for yet. */
interface PendingWrite {
  readonly rest: Buffer;
  readonly done: Done;
}

const SCRATCH_BYTES = 64 << 10;

/**
 * Reads and writes a master descriptor, which it owns. Node's own terminal streams write to a master in blocking
 * mode: a process that does not read its input would stop this program. EIO, which a master gives once the last
 * slave is closed, is the end of the output; input sent after that is dropped, as a terminal does.
 */
export class MasterStream extends Duplex {
  readonly #fd: number;
  readonly #scratch = Buffer.alloc(SCRATCH_BYTES);
  #watch: DescriptorWatch | undefined;
  #interest: Interest | undefined;
  #reading = false;
  #pending: PendingWrite | undefined;

  /** Takes over `fd`; it is closed when the stream is destroyed or has ended. */
  constructor(fd: number) {
    // Nobody reads input any more once the output has ended.
    super({ allowHalfOpen: false });
    this.#fd = fd;
    setNonBlocking(fd);
  }

  override _read(): void {
    this.#reading = true;
    this.#adjustWatch();
  }

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.#pending = { rest: chunk, done };
    this.#flush();
    this.#adjustWatch();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#watch?.stop();
    this.#watch = undefined;
    closeSync(this.#fd);
    done(error);
  }

  #adjustWatch(): void {
    const wanted = this.#wantedInterest();
    if (wanted === this.#interest || this.destroyed) return;
    this.#watch?.stop();
    this.#interest = wanted;
    this.#watch =
      wanted === undefined ? undefined : watchDescriptor(this.#fd, wanted, () => this.#onReady());
  }

  #wantedInterest(): Interest | undefined {
    if (this.#pending === undefined) return this.#reading ? 'readable' : undefined;
    return this.#reading ? 'both' : 'writable';
  }

  #onReady(): void {
    if (this.#pending !== undefined) this.#flush();
    if (this.#reading) this.#receive();
    this.#adjustWatch();
  }

  #receive(): void {
    try {
      const length = readSync(this.#fd, this.#scratch, 0, SCRATCH_BYTES, null);
      if (length === 0) this.#endOutput();
      else this.#reading = this.push(Buffer.from(this.#scratch.subarray(0, length)));
    } catch (error) {
      const code = errnoCode(error);
      if (code === 'EIO') this.#endOutput();
      else if (code !== 'EAGAIN') this.destroy(error as Error);
    }
  }

  #endOutput(): void {
    this.#reading = false;
    this.push(null);
  }

  #flush(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    try {
      const written = writeSync(this.#fd, pending.rest);
      const rest = pending.rest.subarray(written);
      this.#pending = rest.length === 0 ? undefined : { rest, done: pending.done };
      if (rest.length === 0) pending.done();
    } catch (error) {
      const code = errnoCode(error);
      if (code === 'EAGAIN') return;
      this.#pending = undefined;
      pending.done(code === 'EIO' ? null : (error as Error));
    }
  }
}
