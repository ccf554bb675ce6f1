/** What stands in for journald: a socket that takes entries as journald does. */
import { closeSync, rmSync } from 'node:fs';
import { checked, nativeFunction } from '../../src/sys/native.ts';
import {
  AddressFamily,
  MSG_DONTWAIT,
  openSocket,
  SocketType,
  withUnixAddress,
} from '../../src/sys/socket-calls.ts';
import { watchDescriptor } from '../../src/sys/watch-descriptor.ts';

const cBind = nativeFunction('int bind(int fd, const void *address, unsigned int length)');
const cRecv = nativeFunction('long recv(int fd, void *bytes, size_t length, int flags)');
const LARGEST_ENTRY_BYTES = 256 << 10;
const NEWLINE = 0x0a;
const EQUALS = 0x3d;

/** An entry's fields by name. */
export type JournalEntry = Readonly<Record<string, string>>;

export class StandInJournal implements Disposable {
  readonly path: string;
  readonly entries: JournalEntry[] = [];
  readonly #fd: number;
  readonly #scratch = Buffer.alloc(LARGEST_ENTRY_BYTES);
  readonly #stop: () => void;

  /** With `isStuck` it takes nothing out of the socket, which is soon full. */
  constructor(path: string, { isStuck = false } = {}) {
    this.path = path;
    this.#fd = openSocket(AddressFamily.unix, SocketType.datagram, { nonBlocking: true });
    withUnixAddress(path, (address) => {
      checked(cBind(this.#fd, address, address.length), 'bind', path);
    });
    const watch = isStuck
      ? undefined
      : watchDescriptor(this.#fd, 'readable', () => this.#receive());
    this.#stop = () => watch?.stop();
  }

  [Symbol.dispose](): void {
    this.#stop();
    closeSync(this.#fd);
    rmSync(this.path);
  }

  #receive(): void {
    for (;;) {
      const length = cRecv(this.#fd, this.#scratch, this.#scratch.length, MSG_DONTWAIT);
      if (length < 0) return;
      this.entries.push(decodeEntry(this.#scratch.subarray(0, length)));
    }
  }
}

function decodeEntry(bytes: Buffer): JournalEntry {
  const fields: Record<string, string> = {};
  let at = 0;
  while (at < bytes.length) {
    const line = bytes.indexOf(NEWLINE, at);
    const equals = bytes.indexOf(EQUALS, at);
    const isShort = equals >= 0 && equals < line;
    const nameEnd = isShort ? equals : line;
    const start = isShort ? equals + 1 : line + 1 + 8;
    const end = isShort ? line : start + Number(bytes.readBigUInt64LE(line + 1));
    fields[bytes.toString('utf8', at, nameEnd)] = bytes.toString('utf8', start, end);
    at = end + 1;
  }
  return fields;
}
