/** Brings what mirrors a log (Docker's file, the journal) up to date with what the monitor wrote. */
import { setImmediate as breathe } from 'node:timers/promises';
import type { FileMirror, JournalMirror, KeptLog } from '../log-keeper.ts';
import type { LogPosition } from '../log-reader.ts';
import { FileSink } from './file-sink.ts';
import { PartJoiner } from './join-parts.ts';
import { JournalSink } from './journal-sink.ts';
import type { K8sLogEntry } from './k8s-line-parser.ts';
import { LogCursor } from './log-cursor.ts';
import type { MessageSink } from './message-sink.ts';
import { type MirrorRecord, readMirrorRecord, writeMirrorRecord } from './mirror-record.ts';

const START: MirrorRecord = { v: 1, position: { segment: 1, offset: 0 }, bytes: 0, held: {} };

/** How an update is done. */
export interface MirrorUpdate {
  readonly log: KeptLog;
  readonly mirror: FileMirror | JournalMirror;
  /** Where journald receives. */
  readonly journalSocket: string;
  /** The run is over: lines without an end are written too. */
  readonly isLast: boolean;
  /** Ends the update early, at a moment that is recorded. */
  readonly signal: AbortSignal;
  /** Where the log ends at present. */
  readonly end: LogPosition;
}

/**
 * Resolves to how far the mirror has come. Docker's file gets every message exactly once, also when the engine dies at
 * any moment; the journal at least once, since it cannot be asked what it has.
 */
export async function updateMirror(update: MirrorUpdate): Promise<LogPosition> {
  const { mirror, end } = update;
  const found = (await readMirrorRecord(recordPath(mirror))) ?? START;
  // A power cut took some of the log that we had seen.
  const record = isBeyond(found.position, end) ? START : found;
  if (isEqual(record.position, end) && !hasLeft(update, record)) return end;
  const sink = await openSink(update, record.bytes);
  try {
    return await new MirrorWriter(update, { sink, record }).catchUp();
  } finally {
    await sink.close();
  }
}

async function openSink(
  { mirror, log, journalSocket }: MirrorUpdate,
  recordedBytes: number,
): Promise<MessageSink> {
  if (mirror.kind === 'journal') return new JournalSink(mirror, journalSocket);
  return await FileSink.open({ mirror, policy: log.policy, recordedBytes });
}

/** Where the progress of a mirror is recorded. */
function recordPath(mirror: FileMirror | JournalMirror): string {
  return mirror.kind === 'journal' ? mirror.progressPath : `${mirror.path}.progress`;
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
  readonly #sink: MessageSink;
  readonly #joiner: PartJoiner;
  #position: LogPosition;

  constructor(update: MirrorUpdate, place: { sink: MessageSink; record: MirrorRecord }) {
    this.#update = update;
    this.#sink = place.sink;
    this.#joiner = new PartJoiner(place.record.held);
    this.#position = place.record.position;
  }

  async catchUp(): Promise<LogPosition> {
    const { log, signal, isLast } = this.#update;
    await using cursor = new LogCursor({ logPath: log.logPath, from: this.#position, signal });
    for await (const batch of cursor.readOn()) {
      for (const entry of batch) {
        this.#take(entry, cursor.after(entry));
        // Awaits nothing for most entries, which only add to what is delivered.
        if (this.#sink.isDue) await this.#deliver();
      }
      await breathe();
    }
    if (isLast && !signal.aborted) this.#flush();
    await this.#deliver();
    return this.#position;
  }

  #take(entry: K8sLogEntry, position: LogPosition): void {
    // Files in between were dropped: what follows is no continuation.
    if (position.segment > this.#position.segment + 1) this.#flush();
    for (const message of this.#joiner.add(entry)) this.#sink.add(message);
    this.#position = position;
  }

  #flush(): void {
    for (const message of this.#joiner.flush()) this.#sink.add(message);
  }

  #deliver(): Promise<void> {
    return this.#sink.deliver(() =>
      writeMirrorRecord(recordPath(this.#update.mirror), {
        v: 1,
        position: this.#position,
        bytes: this.#sink.bytes,
        held: this.#joiner.held,
      }),
    );
  }
}
