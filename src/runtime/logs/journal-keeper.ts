/**
 * Keeps the logs of running containers: Docker's file or the journal is brought up to date and full files are rotated a moment
 * after something was written. Between that and the next change nothing happens at all.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ContainerId } from '../../shared/ids.ts';
import { DatagramSender } from '../../sys/datagram-sender.ts';
import type { KeptLog, LogKeeper, LogPolicy } from '../log-keeper.ts';
import type { LogReader } from '../log-reader.ts';
import { noJournal } from '../runtime-errors.ts';
import { JOURNAL_SOCKET } from './journal-sink.ts';
import { LogChanges } from './log-changes.ts';
import { compressJournal, dropOldest, isJournalFull, rotateJournal } from './rotate-journal.ts';
import { updateMirror } from './update-mirror.ts';

/** After a change, so that a burst is dealt with in a few large steps. Sooner where files have a limit. */
const DELAY_MS = 1_000;
const LIMITED_DELAY_MS = 200;
/** So often the size of a growing file is looked at: what can be written meanwhile is what it grows beyond its limit. */
const SIZE_CHECK_MS = 10;

/** What keeping needs. */
export interface JournalKeeperParts {
  readonly reader: Pick<LogReader, 'end'>;
  /** Has the monitor of a container begin a new log file; false when none listens. */
  readonly reopen: (id: ContainerId) => boolean;
  readonly report: (id: ContainerId, error: unknown) => void;
  /** Where journald receives; by default where it does on every machine. */
  readonly journalSocket?: string;
}

export class JournalKeeper implements LogKeeper {
  readonly #parts: JournalKeeperParts;
  readonly #duties = new Map<ContainerId, Duty>();

  constructor(parts: JournalKeeperParts) {
    this.#parts = parts;
  }

  assertPossible({ mirror }: LogPolicy): void {
    if (mirror?.kind !== 'journal') return;
    const { journalSocket = JOURNAL_SOCKET } = this.#parts;
    try {
      DatagramSender.connect(journalSocket).close();
    } catch (error) {
      throw noJournal(journalSocket, error);
    }
  }

  begin(log: KeptLog): void {
    if (!isKept(log)) return;
    this.#start(log).follow();
  }

  async end(log: KeptLog): Promise<void> {
    if (!isKept(log)) return;
    const duty = this.#duties.get(log.id) ?? this.#start(log);
    await duty.end();
    if (this.#duties.get(log.id) === duty) this.#duties.delete(log.id);
  }

  async drop(id: ContainerId): Promise<void> {
    const duty = this.#duties.get(id);
    this.#duties.delete(id);
    await duty?.stop();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#duties.keys()].map((id) => this.drop(id)));
  }

  /** One after the other for one container: what an earlier run left comes first. */
  #start(log: KeptLog): Duty {
    const duty = new Duty(this.#parts, log, this.#duties.get(log.id)?.end());
    this.#duties.set(log.id, duty);
    return duty;
  }
}

function isKept({ policy }: KeptLog): boolean {
  return policy.mirror !== undefined || policy.maxBytes !== undefined;
}

/** The keeping of one log during one run. */
class Duty {
  readonly #parts: JournalKeeperParts;
  readonly #log: KeptLog;
  readonly #stopped = new AbortController();
  /** Ends waiting, not work. */
  readonly #ended = new AbortController();
  /** The file before which the mirror has taken everything. */
  #mirroredUpTo: number;
  #running: Promise<void>;

  constructor(parts: JournalKeeperParts, log: KeptLog, before: Promise<void> = Promise.resolve()) {
    this.#parts = parts;
    this.#log = log;
    this.#mirroredUpTo = log.policy.mirror === undefined ? Number.POSITIVE_INFINITY : 0;
    this.#running = before;
  }

  follow(): void {
    const parts = [() => this.#follow(), () => this.#keepSize()];
    const { maxBytes } = this.#log.policy;
    const wanted = maxBytes === undefined ? parts.slice(0, 1) : parts;
    this.#running = this.#running.then(async () => {
      await Promise.all(wanted.map((part) => this.#guarded(part())));
    });
  }

  async end(): Promise<void> {
    if (!this.#ended.signal.aborted) {
      this.#ended.abort();
      this.#running = this.#guarded(this.#running.then(() => this.#pass({ isLast: true })));
    }
    await this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#ended.abort();
    await this.#running;
  }

  async #guarded(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#parts.report(this.#log.id, error);
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ended;
    const delay = this.#log.policy.maxBytes === undefined ? DELAY_MS : LIMITED_DELAY_MS;
    while (!signal.aborted) {
      // Also before the first pass: a run that is over by then costs nothing.
      await pause(delay, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      const changes = new LogChanges(this.#log.logPath, () => changes.notify());
      try {
        changes.notifyOn(signal);
        // Watched from before the pass on: what is written meanwhile is a change.
        // A full disk is no reason to give up: the next change is another chance.
        await this.#guarded(this.#pass({ isLast: false }));
        if (!signal.aborted) await changes.next();
      } finally {
        changes.close();
      }
    }
  }

  /** Rotates beside the mirror, which may be slower than the container. */
  async #keepSize(): Promise<void> {
    const { signal } = this.#ended;
    const changes = new LogChanges(this.#log.logPath, () => changes.notify());
    try {
      changes.notifyOn(signal);
      while (!signal.aborted) {
        await this.#guarded(this.#rotateIfFull());
        await changes.next();
        await pause(SIZE_CHECK_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    } finally {
      changes.close();
    }
  }

  async #rotateIfFull(): Promise<void> {
    const { id, logPath } = this.#log;
    if (!(await isJournalFull(this.#log))) return;
    if (await rotateJournal(logPath, () => this.#parts.reopen(id))) {
      await dropOldest(this.#log, this.#mirroredUpTo);
    }
  }

  async #pass({ isLast }: { readonly isLast: boolean }): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    const taken = await this.#mirrored(isLast);
    if (this.#log.policy.mirror !== undefined) this.#mirroredUpTo = taken;
    await dropOldest(this.#log, this.#mirroredUpTo);
    await compressJournal(this.#log, taken);
  }

  /** The number of the file before which everything has been taken. */
  async #mirrored(isLast: boolean): Promise<number> {
    const log = this.#log;
    const { mirror } = log.policy;
    const end = await this.#parts.reader.end(log.logPath);
    if (mirror === undefined) return end.segment;
    const { journalSocket = JOURNAL_SOCKET } = this.#parts;
    const signal = this.#stopped.signal;
    const update = { log, mirror, isLast, signal, end, journalSocket };
    return (await updateMirror(update)).segment;
  }
}
