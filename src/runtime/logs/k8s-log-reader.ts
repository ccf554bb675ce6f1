/** Reads the log of a task: from the start, from its last lines, and on as it grows. */
import type { LogEntry, LogPosition, LogReader, LogReadOptions } from '../log-reader.ts';
import { LogChanges } from './log-changes.ts';
import { LogCursor } from './log-cursor.ts';
import { openSegments } from './log-segments.ts';

export class K8sLogReader implements LogReader {
  async *read(options: LogReadOptions): AsyncGenerator<readonly LogEntry[]> {
    await using cursor = new LogCursor(options);
    if (options.follow === undefined) {
      yield* cursor.readOn();
      return;
    }
    yield* follow(cursor, options, options.follow.ended);
  }

  async end(logPath: string): Promise<LogPosition> {
    const segments = await openSegments(logPath, 1);
    try {
      const last = segments.at(-1);
      if (last === undefined) return { segment: 1, offset: 0 };
      return { segment: last.number, offset: (await last.file.stat()).size };
    } finally {
      await Promise.all(segments.map(({ file }) => file.close()));
    }
  }
}

async function* follow(
  cursor: LogCursor,
  options: LogReadOptions,
  ended: Promise<unknown>,
): AsyncGenerator<readonly LogEntry[]> {
  const { signal, untilSeconds } = options;
  let hasEnded = false;
  let failure: unknown;
  const changes = new LogChanges(options.logPath, (error) => {
    failure = error;
    changes.notify();
  });
  try {
    const onEnd = () => {
      hasEnded = true;
      changes.notify();
    };
    ended.then(onEnd, onEnd);
    if (signal !== undefined) changes.notifyOn(signal);
    if (untilSeconds !== undefined) changes.notifyAt(untilSeconds * 1000);
    for (;;) {
      // Looked at before reading: what was written before the end is then read before we stop.
      const isLast = hasEnded || isPast(untilSeconds);
      yield* cursor.readOn();
      if (isLast || cursor.isPastUntil || signal?.aborted === true) return;
      if (failure !== undefined) throw failure;
      await changes.next();
    }
  } finally {
    changes.close();
  }
}

function isPast(epochSeconds: number | undefined): boolean {
  return epochSeconds !== undefined && epochSeconds * 1000 <= Date.now();
}
