/** One build of a client: its progress, its results by id, and what the client made of them. */
import type { Clock } from '../../../shared/clock.ts';
import { randomId } from '../../../shared/ids.ts';
import type { BuildResult, DockerfileSource } from '../../solver.ts';
import { StatusError } from '../grpc/grpc-errors.ts';
import type { SolveRequest } from '../proto/control.ts';
import type { GatewayResult, ReturnRequest } from '../proto/gateway.ts';
import type { MessageOf } from '../proto/message.ts';
import { ClientProgress } from './client-progress.ts';
import { StatusLog } from './status-log.ts';

export type SolveOrder = MessageOf<typeof SolveRequest>;

/** One image of a result, which a client names by an id. */
export interface ResultRef {
  readonly id: string;
  readonly result: BuildResult;
  /** Which of the result's images. */
  readonly index: number;
}

/** What the client wants to be exported. */
export interface ReturnedResult {
  /** Empty when it returned nothing but metadata. */
  readonly refs: readonly ResultRef[];
  readonly metadata: ReadonlyMap<string, Uint8Array>;
}

export class BuildJob {
  readonly order: SolveOrder;
  readonly startedAt: number;
  readonly log = new StatusLog();
  readonly progress: ClientProgress;
  /** Aborts when the client gives up. */
  readonly signal: AbortSignal;
  readonly returned: Promise<ReturnedResult>;
  /** The file that was built, once it is known. */
  dockerfile: DockerfileSource | undefined;
  /** The archive that is the context, when a request of its own brought it. */
  uploaded: AsyncIterable<Uint8Array> | undefined;
  readonly #refs = new Map<string, ResultRef>();
  readonly #results = new Set<BuildResult>();
  #resolve: (result: ReturnedResult) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(order: SolveOrder, clock: Clock, signal: AbortSignal) {
    this.order = order;
    this.startedAt = clock.now();
    this.signal = signal;
    this.progress = new ClientProgress(this.log, clock);
    this.returned = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Rejected before anybody waits for it, when the client is gone at once.
    this.returned.catch(() => undefined);
    signal.addEventListener('abort', () => this.#reject(signal.reason), { once: true });
  }

  /** Keeps a result until the build's end, and names its images. */
  keep(result: BuildResult): readonly ResultRef[] {
    this.#results.add(result);
    return result.images.map((_, index) => {
      const ref = { id: randomId(), result, index };
      this.#refs.set(ref.id, ref);
      return ref;
    });
  }

  ref(id: string): ResultRef | undefined {
    return this.#refs.get(id);
  }

  /** The client's last word: a result, or why there is none. */
  conclude({ result, error }: MessageOf<typeof ReturnRequest>): void {
    if (error !== undefined) this.#reject(new StatusError(error));
    else this.#resolve(this.#chosen(result));
  }

  #chosen(result: MessageOf<typeof GatewayResult> | undefined): ReturnedResult {
    const ids =
      result?.refs === undefined
        ? [result?.ref?.id]
        : [...result.refs.refs.values()].map((ref) => ref?.id);
    const refs = ids.flatMap((id) => {
      const ref = id === undefined ? undefined : this.#refs.get(id);
      return ref === undefined ? [] : [ref];
    });
    // Clients send their map in any order; the images have the order of the platforms that were asked for.
    const sorted = refs.toSorted((one, other) => one.index - other.index);
    return { refs: sorted, metadata: result?.metadata ?? new Map() };
  }

  /** Lets go of all results and ends the progress. Idempotent. */
  close(): void {
    this.log.end();
    for (const result of this.#results) result.release();
    this.#results.clear();
  }
}
