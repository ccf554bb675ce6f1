/** The latest builds, for `docker buildx history`. They are kept in memory: a new engine has none. */
import type { Clock } from '../../../shared/clock.ts';
import type { BuildJob } from '../build/build-job.ts';
import type { StatusLog } from '../build/status-log.ts';
import { statusOf } from '../grpc/grpc-errors.ts';
import { timestamp } from '../proto/common.ts';
import {
  type BuildHistoryEvent,
  type BuildHistoryRecord,
  type BuildHistoryRequest,
  HISTORY_EVENT,
  type UpdateBuildHistoryRequest,
} from '../proto/control.ts';
import type { EncodableOf, MessageOf } from '../proto/message.ts';

/** Builds that are over; the pinned ones are not counted. */
const KEPT = 50;

type HistoryEvent = EncodableOf<typeof BuildHistoryEvent>;

interface Entry {
  readonly job: BuildJob;
  endedAt: number | undefined;
  error: unknown;
  response: ReadonlyMap<string, string>;
  pinned: boolean;
  generation: number;
}

/** How a build ended. */
export interface BuildEnd {
  readonly response?: ReadonlyMap<string, string>;
  readonly error?: unknown;
}

export class BuildHistory {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #watchers = new Set<(event: HistoryEvent, ref: string) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(job: BuildJob): void {
    if (job.order.internal) return;
    const entry: Entry = {
      ...{ job, endedAt: undefined, error: undefined, response: new Map() },
      ...{ pinned: false, generation: 1 },
    };
    this.#entries.delete(job.order.ref);
    this.#entries.set(job.order.ref, entry);
    this.#tell(HISTORY_EVENT.started, entry);
  }

  end(job: BuildJob, { response = new Map(), error }: BuildEnd): void {
    const entry = this.#entries.get(job.order.ref);
    if (entry?.job !== job) return;
    entry.endedAt = this.#clock.now();
    entry.response = response;
    entry.error = error;
    entry.generation++;
    this.#tell(HISTORY_EVENT.complete, entry);
    this.#forgetOldest();
  }

  /** What a build told; undefined when it is not known any more. */
  logOf(ref: string): StatusLog | undefined {
    return this.#entries.get(ref)?.job.log;
  }

  update({
    ref,
    pinned,
    delete: isDeleted,
    finalize,
  }: MessageOf<typeof UpdateBuildHistoryRequest>) {
    const entry = this.#entries.get(ref);
    if (entry === undefined || finalize) return;
    if (isDeleted) {
      this.#entries.delete(ref);
      this.#tell(HISTORY_EVENT.deleted, entry);
      return;
    }
    entry.pinned = pinned;
    entry.generation++;
    this.#tell(HISTORY_EVENT.complete, entry);
  }

  /** Those that are there, and unless `earlyExit` those to come until `signal` aborts. */
  async *listen(
    request: MessageOf<typeof BuildHistoryRequest>,
    signal: AbortSignal,
  ): AsyncGenerator<HistoryEvent, void, void> {
    const queue = [...this.#entries.values()]
      .filter((entry) => isAsked(entry, request))
      .slice(request.limit > 0 ? -request.limit : 0)
      .map(toEvent);
    let wake: () => void = () => undefined;
    const watcher = (event: HistoryEvent, ref: string) => {
      if (request.ref !== '' && request.ref !== ref) return;
      queue.push(event);
      wake();
    };
    this.#watchers.add(watcher);
    const stop = () => wake();
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!signal.aborted) {
        yield* queue.splice(0);
        if (request.earlyExit) return;
        if (queue.length > 0) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener('abort', stop);
      this.#watchers.delete(watcher);
    }
  }

  #tell(type: number, entry: Entry): void {
    const event = { type, record: toRecord(entry) };
    for (const watcher of this.#watchers) watcher(event, entry.job.order.ref);
  }

  #forgetOldest(): void {
    const over = [...this.#entries].filter(
      ([, entry]) => entry.endedAt !== undefined && !entry.pinned,
    );
    for (const [ref] of over.slice(0, Math.max(0, over.length - KEPT))) this.#entries.delete(ref);
  }
}

function isAsked(
  entry: Entry,
  { activeOnly, ref }: MessageOf<typeof BuildHistoryRequest>,
): boolean {
  if (activeOnly && entry.endedAt !== undefined) return false;
  return ref === '' || entry.job.order.ref === ref;
}

const toEvent = (entry: Entry): HistoryEvent => ({
  type: entry.endedAt === undefined ? HISTORY_EVENT.started : HISTORY_EVENT.complete,
  record: toRecord(entry),
});

function toRecord({
  job,
  endedAt,
  error,
  response,
  pinned,
  generation,
}: Entry): EncodableOf<typeof BuildHistoryRecord> {
  const { order, startedAt } = job;
  const { total, completed, cached, warnings } = job.progress.counts();
  return {
    ref: order.ref,
    frontend: order.frontend || 'dockerfile.v0',
    frontendAttrs: order.frontendAttrs,
    exporters: order.exporters,
    error: error === undefined ? undefined : statusOf(error),
    createdAt: timestamp(startedAt),
    completedAt: endedAt === undefined ? undefined : timestamp(endedAt),
    exporterResponse: response,
    ...{ generation, pinned },
    ...{ numCachedSteps: cached, numTotalSteps: total, numCompletedSteps: completed },
    numWarnings: warnings,
  };
}
