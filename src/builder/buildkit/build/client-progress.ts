/** Tells a build's progress to its clients: the solver's own and that of the steps around it. */
import type { BuildWarning } from '../../../dockerfile/source-place.ts';
import { type Digest, digestOf } from '../../../oci/digest.ts';
import type { Clock } from '../../../shared/clock.ts';
import { messageOf } from '../../../shared/errors.ts';
import { randomId } from '../../../shared/ids.ts';
import type {
  BuildProgress,
  Vertex,
  VertexLog,
  VertexStatus,
  VertexUpdate,
} from '../../build-progress.ts';
import type { DockerfileSource } from '../../solver.ts';
import { timestamp } from '../proto/common.ts';
import type { VertexMessage } from '../proto/control.ts';
import type { EncodableOf } from '../proto/message.ts';
import { sourceInfo, sourceRange } from './source-place.ts';
import type { StatusLog } from './status-log.ts';

/** How often a part's progress is told, as with BuildKit: a large context comes in tens of thousands of pieces. */
const STATUS_INTERVAL_MS = 100;
/** Output of one vertex that clients get to see, as with BuildKit. */
const MAX_LOG_BYTES = 2 * 1024 * 1024;
const CLIPPED = Buffer.from('[output clipped, log limit 2MiB reached]\n');

/** Progress of one step that is not the solver's. */
export interface StepProgress {
  /** Shows how far a part of it is; `total` 0 when not known. */
  status(id: string, current: number, total?: number): void;
  log(text: string): void;
  /** Shows a part of it while `work` goes on. */
  part<T>(id: string, work: () => Promise<T>): Promise<T>;
}

/** Numbers of a build's steps, for its history. */
export interface StepCounts {
  readonly total: number;
  readonly completed: number;
  readonly cached: number;
  readonly warnings: number;
}

type ShownStatuses = Map<
  string,
  {
    readonly current: number;
    readonly total: number;
    readonly startedAt: string;
    /** When it was last sent, in milliseconds. */
    readonly toldAt: number;
  }
>;

export class ClientProgress implements BuildProgress {
  readonly #log: StatusLog;
  readonly #clock: Clock;
  readonly #logged = new Map<string, number>();
  readonly #known = new Map<string, 'open' | 'done' | 'cached'>();
  #warnings = 0;
  #dockerfile: DockerfileSource | undefined;

  constructor(log: StatusLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** The file that warnings point into. */
  setDockerfile(dockerfile: DockerfileSource): void {
    this.#dockerfile = dockerfile;
  }

  counts(): StepCounts {
    const states = [...this.#known.values()];
    return {
      total: states.length,
      completed: states.filter((state) => state !== 'open').length,
      cached: states.filter((state) => state === 'cached').length,
      warnings: this.#warnings,
    };
  }

  /** Shows `work` as a line of its own, and why it failed if it does. */
  async step<T>(name: string, work: (step: StepProgress) => Promise<T>): Promise<T> {
    const vertex: Vertex = { digest: digestOf(randomId()), name, inputs: [] };
    const startedAt = this.#clock.nowIso();
    this.vertex({ kind: 'started', vertex, at: startedAt });
    const end = (error?: string) =>
      this.vertex({
        ...{ kind: 'completed', vertex, startedAt, at: this.#clock.nowIso(), cached: false },
        ...(error === undefined ? {} : { error }),
      });
    const shown: ShownStatuses = new Map();
    try {
      const result = await work(this.#stepProgress(vertex, shown));
      for (const [id, { toldAt: _, ...status }] of shown) {
        this.status({ vertex: vertex.digest, id, ...status, completedAt: this.#clock.nowIso() });
      }
      end();
      return result;
    } catch (error) {
      end(messageOf(error));
      throw error;
    }
  }

  #stepProgress(vertex: Vertex, shown: ShownStatuses): StepProgress {
    return {
      part: async (id, work) => {
        const status = { vertex: vertex.digest, id, current: 0, total: 0 };
        const startedAt = this.#clock.nowIso();
        this.status({ ...status, startedAt, completedAt: undefined });
        const result = await work();
        this.status({ ...status, startedAt, completedAt: this.#clock.nowIso() });
        return result;
      },
      status: (id, current, total = 0) => {
        const before = shown.get(id);
        const now = this.#clock.now();
        const isDue = before === undefined || now - before.toldAt >= STATUS_INTERVAL_MS;
        const startedAt = before?.startedAt ?? this.#clock.nowIso();
        const toldAt = isDue ? now : before.toldAt;
        const status = { current, total, startedAt };
        shown.set(id, { ...status, toldAt });
        // The last word is said when the step ends.
        if (!isDue) return;
        this.status({ vertex: vertex.digest, id, ...status, completedAt: undefined });
      },
      log: (text) => {
        const data = Buffer.from(text);
        const at = this.#clock.nowIso();
        this.log({ vertex: vertex.digest, stream: 'stdout', data, at });
      },
    };
  }

  vertex(update: VertexUpdate): void {
    this.#note(update);
    this.#log.add({ vertexes: [toVertexMessage(update)] });
  }

  #note(update: VertexUpdate): void {
    const { digest } = update.vertex;
    if (update.kind === 'completed') this.#known.set(digest, update.cached ? 'cached' : 'done');
    else if (!this.#known.has(digest)) this.#known.set(digest, 'open');
  }

  status({ vertex, id, current, total, startedAt, completedAt }: VertexStatus): void {
    this.#log.add({
      statuses: [
        {
          ...{ id, vertex, current, total, started: toTimestamp(startedAt) },
          timestamp: timestamp(this.#clock.now()),
          completed: completedAt === undefined ? undefined : toTimestamp(completedAt),
        },
      ],
    });
  }

  log({ vertex, stream, data, at }: VertexLog): void {
    const before = this.#logged.get(vertex) ?? 0;
    if (before >= MAX_LOG_BYTES) return;
    this.#logged.set(vertex, before + data.length);
    const isLast = before + data.length >= MAX_LOG_BYTES;
    const msg = isLast ? Buffer.concat([data.subarray(0, MAX_LOG_BYTES - before), CLIPPED]) : data;
    const number = stream === 'stdout' ? 1 : 2;
    this.#log.add({ logs: [{ vertex, stream: number, msg, timestamp: toTimestamp(at) }] });
  }

  warn(warning: BuildWarning): void {
    this.#warnings++;
    const { rule, description, url, detail, range } = warning;
    this.#log.add({
      warnings: [
        {
          vertex: this.#warnedVertex(),
          level: 1,
          short: Buffer.from(`${rule}: ${detail}`),
          detail: [Buffer.from(description)],
          url,
          info: this.#dockerfile === undefined ? undefined : sourceInfo(this.#dockerfile),
          ranges: [sourceRange(range)],
        },
      ],
    });
  }

  /** Tells what has no effect, under a line of its own: clients show warnings of lines that they know. */
  remark(remarks: readonly string[]): Promise<void> {
    if (remarks.length === 0) return Promise.resolve();
    return this.step('[internal] options without effect', async (step) => {
      for (const remark of remarks) {
        step.log(`WARNING: ${remark}\n`);
        const vertex = [...this.#known.keys()].at(-1) ?? '';
        this.#log.add({ warnings: [{ vertex, level: 1, short: Buffer.from(remark) }] });
      }
    });
  }

  /** Clients drop warnings of vertexes that they have not heard of. */
  #warnedVertex(): string {
    const [first] = this.#known.keys();
    return first ?? '';
  }

  stepStarted(): void {
    // Steps are counted for the classic door; here each has its vertex.
  }

  stepOutput(): void {
    // See `log`.
  }

  stepEnded(): void {
    // See `vertex`.
  }
}

function toVertexMessage(update: VertexUpdate): EncodableOf<typeof VertexMessage> {
  const { digest, name, inputs } = update.vertex;
  const message = { digest, name, inputs: [...inputs] as readonly Digest[] };
  if (update.kind === 'announced') return message;
  if (update.kind === 'started') return { ...message, started: toTimestamp(update.at) };
  return {
    ...message,
    started: toTimestamp(update.startedAt),
    completed: toTimestamp(update.at),
    cached: update.cached,
    error: update.error,
  };
}

const toTimestamp = (iso: string) => timestamp(Date.parse(iso));
