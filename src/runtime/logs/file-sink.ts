/** Messages into Docker's log file. */
import type { FileMirror, LogPolicy } from '../log-keeper.ts';
import { JsonLineEncoder, type Message } from './json-line.ts';
import type { MessageSink } from './message-sink.ts';
import { MirrorFile } from './mirror-file.ts';

/** So much is written at once, and recorded once. */
const BATCH_CHARACTERS = 1 << 20;

/** What the file is opened for. */
export interface FileSinkRequest {
  readonly mirror: FileMirror;
  readonly policy: LogPolicy;
  /** `bytes` as recorded last. */
  readonly recordedBytes: number;
}

export class FileSink implements MessageSink {
  readonly #file: MirrorFile;
  readonly #encoder: JsonLineEncoder;
  readonly #dueCharacters: number;
  #lines: string[] = [];
  #characters = 0;

  private constructor({ mirror, policy }: FileSinkRequest, file: MirrorFile) {
    this.#file = file;
    this.#encoder = new JsonLineEncoder(mirror.attributes);
    this.#dueCharacters = policy.maxBytes ?? Number.POSITIVE_INFINITY;
  }

  static async open(request: FileSinkRequest): Promise<FileSink> {
    const { mirror, policy, recordedBytes } = request;
    return new FileSink(request, await MirrorFile.open(mirror.path, policy, recordedBytes));
  }

  add(message: Message): void {
    const line = this.#encoder.encode(message);
    this.#lines.push(line);
    this.#characters += line.length;
  }

  get isDue(): boolean {
    const { size } = this.#file;
    return this.#characters >= BATCH_CHARACTERS || size + this.#characters >= this.#dueCharacters;
  }

  get bytes(): number {
    return this.#file.size;
  }

  async deliver(record: () => Promise<void>): Promise<void> {
    await this.#file.append(Buffer.from(this.#lines.join('')));
    this.#lines = [];
    this.#characters = 0;
    await record();
    if (!this.#file.isFull) return;
    await this.#file.rotate();
    await record();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
