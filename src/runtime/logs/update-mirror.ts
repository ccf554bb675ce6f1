/** Brings Docker's file of a log up to date with what the monitor wrote. */
import { setImmediate as breathe } from 'node:timers/promises';
import type { KeptLog, LogPolicy } from '../log-keeper.ts';
import type { LogPosition } from '../log-reader.ts';
import { PartJoiner } from './join-parts.ts';
import { JsonLineEncoder, type Message } from './json-line.ts';
import type { K8sLogEntry } from './k8s-line-parser.ts';
import { LogCursor } from './log-cursor.ts';
import { MirrorFile } from './mirror-file.ts';
import { type MirrorRecord, readMirrorRecord, writeMirrorRecord } from './mirror-record.ts';

/** So much is written at once, and recorded once. */
const BATCH_CHARACTERS = 1 << 20;
const START: MirrorRecord = { v: 1, position: { segment: 1, offset: 0 }, bytes: 0, held: {} };

/** How an update is done. */
export interface MirrorUpdate {
  readonly log: KeptLog;
  readonly mirror: NonNullable<LogPolicy['mirror']>;
  /** The run is over: lines without an end are written too. */
  readonly isLast: boolean;
  /** Ends the update early, at a moment that is recorded. */
  readonly signal: AbortSignal;
  /** Where the log ends at present. */
  readonly end: LogPosition;
}

/** Resolves to how far the file has come. Exactly once for every message, also when the engine dies at any moment. */
export async function updateMirror(update: MirrorUpdate): Promise<LogPosition> {
  const { log, mirror, end } = update;
  const found = (await readMirrorRecord(recordPath(mirror.path))) ?? START;
  // A power cut took some of the log that we had seen.
  const record = isBeyond(found.position, end) ? START : found;
  if (isEqual(record.position, end) && !hasLeft(update, record)) return end;
  const file = await MirrorFile.open(mirror.path, log.policy, record.bytes);
  const writer = new MirrorWriter(update, { file, record });
  try {
    return await writer.catchUp();
  } finally {
    await writer.close();
  }
}

/** Where the progress of a mirror is recorded. */
function recordPath(mirrorPath: string): string {
  return `${mirrorPath}.progress`;
}

function hasLeft({ isLast }: MirrorUpdate, { held }: MirrorRecord): boolean {
  return isLast && Object.keys(held).length > 0;
}

function isBeyond(position: LogPosition, end: LogPosition): boolean {
  return (
    position.segment > end.segment ||
    (position.segment === end.segment && position.offset > end.offset)
  );
}

function isEqual(one: LogPosition, other: LogPosition): boolean {
  return one.segment === other.segment && one.offset === other.offset;
}

class MirrorWriter {
  readonly #update: MirrorUpdate;
  readonly #file: MirrorFile;
  readonly #encoder: JsonLineEncoder;
  readonly #joiner: PartJoiner;
  #position: LogPosition;
  #lines: string[] = [];
  #characters = 0;

  constructor(update: MirrorUpdate, place: { file: MirrorFile; record: MirrorRecord }) {
    this.#update = update;
    this.#file = place.file;
    this.#encoder = new JsonLineEncoder(update.mirror.attributes);
    this.#joiner = new PartJoiner(place.record.held);
    this.#position = place.record.position;
  }

  async catchUp(): Promise<LogPosition> {
    const { log, signal, isLast } = this.#update;
    await using cursor = new LogCursor({ logPath: log.logPath, from: this.#position, signal });
    for await (const batch of cursor.readOn()) {
      for (const entry of batch) await this.#take(entry, cursor.after(entry));
      if (this.#characters >= BATCH_CHARACTERS) await this.#write();
      await breathe();
    }
    if (isLast && !signal.aborted) for (const message of this.#joiner.flush()) this.#add(message);
    await this.#write();
    return this.#position;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Awaits nothing unless a file is full: most entries only add to the batch. */
  #take(entry: K8sLogEntry, position: LogPosition): Promise<void> | undefined {
    for (const message of this.#joiner.add(entry)) this.#add(message);
    this.#position = position;
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#update.log.policy;
    return this.#file.size + this.#characters >= maxBytes ? this.#write() : undefined;
  }

  #add(message: Message): void {
    const line = this.#encoder.encode(message);
    this.#lines.push(line);
    this.#characters += line.length;
  }

  async #write(): Promise<void> {
    await this.#file.append(Buffer.from(this.#lines.join('')));
    this.#lines = [];
    this.#characters = 0;
    await this.#record();
    if (!this.#file.isFull) return;
    await this.#file.rotate();
    await this.#record();
  }

  async #record(): Promise<void> {
    await writeMirrorRecord(recordPath(this.#update.mirror.path), {
      v: 1,
      position: this.#position,
      bytes: this.#file.size,
      held: this.#joiner.held,
    });
  }
}
