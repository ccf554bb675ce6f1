/** The builds that go on, and for a while those that are over: their progress may be asked for late. */
import { jobExists, unknownJob } from './build-errors.ts';
import type { BuildJob, ResultRef } from './build-job.ts';
import type { StatusLog } from './status-log.ts';

/** Clients open the calls of one build at the same time; the build's own may come last. */
const ARRIVAL_MS = 30_000;
/** Builds whose progress can still be asked for. A build that only asks for facts is over before its second call. */
const KEPT_ENDED = 50;

export class BuildJobs {
  readonly #running = new Map<string, BuildJob>();
  readonly #ended = new Map<string, BuildJob>();
  readonly #waiting = new Set<() => void>();

  /** Takes a build in. `conflict` when there is one of that name. */
  add(job: BuildJob): void {
    const { ref } = job.order;
    if (this.#running.has(ref)) throw jobExists(ref);
    this.#running.set(ref, job);
    for (const look of [...this.#waiting]) look();
  }

  remove(job: BuildJob): void {
    const { ref } = job.order;
    if (this.#running.get(ref) !== job) return;
    this.#running.delete(ref);
    this.#ended.delete(ref);
    this.#ended.set(ref, job);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > KEPT_ENDED && oldest !== undefined) this.#ended.delete(oldest);
  }

  /** What a build tells or told; undefined when there was none of that name lately. */
  logOf(ref: string): StatusLog | undefined {
    return (this.#running.get(ref) ?? this.#ended.get(ref))?.log;
  }

  find(ref: string): BuildJob | undefined {
    return this.#running.get(ref);
  }

  /** A result of any build that goes on: builds of one client use each other's. */
  findRef(id: string): ResultRef | undefined {
    for (const job of this.#running.values()) {
      const ref = job.ref(id);
      if (ref !== undefined) return ref;
    }
    return undefined;
  }

  /** The build of that name, also one that is about to begin. `not-found` when it does not. */
  wait(ref: string, signal: AbortSignal): Promise<BuildJob> {
    const job = this.#running.get(ref);
    if (job !== undefined) return Promise.resolve(job);
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        signal.removeEventListener('abort', giveUp);
      };
      const look = () => {
        const found = this.#running.get(ref);
        if (found === undefined) return;
        leave();
        resolve(found);
      };
      const giveUp = () => {
        leave();
        reject(unknownJob(ref));
      };
      const timer = setTimeout(giveUp, ARRIVAL_MS);
      this.#waiting.add(look);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
}
