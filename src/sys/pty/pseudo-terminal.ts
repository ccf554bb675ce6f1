/** Pseudo terminals for processes that we start. */
import { closeSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { openPty, setWindowSize } from '../libc.ts';
import { MasterStream } from './master-stream.ts';

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
  const master = new MasterStream(ends.master);
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
      if (!master.destroyed) setWindowSize(ends.master, next);
    },
    close: () => {
      releaseSlave();
      master.destroy();
    },
  };
}
