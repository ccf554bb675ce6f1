/** The master side of a pseudo terminal as a stream. */
import { closeSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { ReadStream } from 'node:tty';
import { openPty, setWindowSize } from '../libc.ts';
import { errnoCode } from '../system-errors.ts';

/** A pseudo terminal: the slave is for a process, the master for us. */
export interface PseudoTerminal {
  /** What the process prints, and where its input goes. Ends when the last holder of the slave has gone. */
  readonly master: Duplex;
  /** Descriptor of the slave, for the `{ fd }` slots of the process. Open until `releaseSlave`. */
  readonly slaveFd: number;
  /** Closes our copy of the slave: to be called once the process has its own, or the end is never seen. */
  releaseSlave(): void;
  /** Sets the size in character cells; ignored after the end. */
  resize(size: { rows: number; columns: number }): void;
  /** Closes both sides. Idempotent. */
  close(): void;
}

/** Opens a pseudo terminal of the given size (default 24 by 80). */
export function openPseudoTerminal(size = { rows: 24, columns: 80 }): PseudoTerminal {
  const ends = openPty();
  setWindowSize(ends.master, size);
  const stream = new ReadStream(ends.master);
  const master = new MasterStream(stream);
  let slaveOpen = true;
  const releaseSlave = () => {
    if (slaveOpen) closeSync(ends.slave);
    slaveOpen = false;
  };
  return {
    master,
    slaveFd: ends.slave,
    releaseSlave,
    resize: (next) => {
      if (!stream.destroyed) setWindowSize(ends.master, next);
    },
    close: () => {
      releaseSlave();
      master.destroy();
    },
  };
}

/** Turns the EIO that reading a master gives after the last slave closed into the end that it means. */
class MasterStream extends Duplex {
  readonly #terminal: ReadStream;

  constructor(terminal: ReadStream) {
    // Nobody reads input any more once the output has ended.
    super({ allowHalfOpen: false });
    this.#terminal = terminal;
    terminal.pause();
    terminal.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) terminal.pause();
    });
    terminal.once('end', () => this.push(null));
    terminal.once('close', () => this.push(null));
    terminal.on('error', (error) => {
      if (errnoCode(error) === 'EIO') this.push(null);
      else this.destroy(error);
    });
  }

  override _read(): void {
    this.#terminal.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#terminal.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    // The master has no half-close: a terminal's end of input is the ^D that the writer sends.
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#terminal.destroy();
    done(error);
  }
}
