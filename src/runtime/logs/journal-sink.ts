/**
 * Messages into the journal of the machine, by journald's own protocol: one datagram for each entry, `NAME=value` lines,
 * and a value with newlines in it preceded by its length (systemd's page "Native Journal Protocol"). The fields
 * are those of Docker's driver.
 */
import { DatagramSender } from '../../sys/datagram-sender.ts';
import type { JournalMirror } from '../log-keeper.ts';
import { MESSAGE_BYTES } from './join-parts.ts';
import type { Message } from './json-line.ts';
import type { MessageSink } from './message-sink.ts';

/** Where journald receives. */
export const JOURNAL_SOCKET = '/run/systemd/journal/socket';

/** So many entries are recorded at once: what an engine that dies may have sent a second time. */
const BATCH_ENTRIES = 200;
const NEWLINE = 0x0a;
/** Priorities of syslog(3) that Docker gives the two streams. */
const PRIORITIES = { stdout: '6', stderr: '3' } as const;

export class JournalSink implements MessageSink {
  readonly bytes = 0;
  readonly #fields: Buffer;
  readonly #sender: DatagramSender;
  #messages: Message[] = [];

  constructor(mirror: JournalMirror, socketPath: string) {
    this.#fields = Buffer.concat(
      Object.entries(mirror.fields).map(([name, value]) => encodeField(name, Buffer.from(value))),
    );
    this.#sender = DatagramSender.connect(socketPath);
  }

  add(message: Message): void {
    this.#messages.push(message);
  }

  get isDue(): boolean {
    return this.#messages.length >= BATCH_ENTRIES;
  }

  async deliver(record: () => Promise<void>): Promise<void> {
    for (const message of this.#messages) {
      // Mostly there is room, and nothing to wait for.
      const sending = this.#sender.send(this.#encode(message));
      if (sending !== undefined) await sending;
    }
    this.#messages = [];
    await record();
  }

  async close(): Promise<void> {
    this.#sender.close();
  }

  #encode({ time, stream, data }: Message): Buffer {
    const endsLine = data.at(-1) === NEWLINE;
    const isPart = !endsLine && data.length >= MESSAGE_BYTES;
    return Buffer.concat([
      encodeField('MESSAGE', endsLine ? data.subarray(0, -1) : data),
      Buffer.from(`PRIORITY=${PRIORITIES[stream]}\nSYSLOG_TIMESTAMP=${time}\n`),
      ...(isPart ? [Buffer.from('CONTAINER_PARTIAL_MESSAGE=true\n')] : []),
      this.#fields,
    ]);
  }
}

/** One field of an entry. Exported for its test. */
export function encodeField(name: string, value: Uint8Array): Buffer {
  if (!value.includes(NEWLINE)) {
    return Buffer.concat([Buffer.from(`${name}=`), value, Buffer.from('\n')]);
  }
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from('\n')]);
}
