/** In-memory notices between the verbs of one engine: a container started, ended, or was removed. */

import type { TaskRecord } from '../../runtime/task-runner.ts';
import type { ContainerId } from '../../shared/ids.ts';

/** What a waiter learns of an ended run. */
export interface EndOfRun {
  readonly exitCode: number;
  readonly error: string;
}

interface Notices {
  readonly started: TaskRecord;
  /** The process has ended and its log is complete; the document may not say so yet. */
  readonly ended: EndOfRun;
  /** The end of the run is recorded: the container can be started or removed. */
  readonly settled: EndOfRun;
  readonly removed: EndOfRun;
}

type Listener = (notice: { readonly kind: keyof Notices; readonly value: unknown }) => void;

export class ContainerSignals {
  readonly #listeners = new Map<ContainerId, Set<Listener>>();

  /** Tells everybody who waits for this notice of the container. */
  notify<Kind extends keyof Notices>(id: ContainerId, kind: Kind, value: Notices[Kind]): void {
    for (const listener of [...(this.#listeners.get(id) ?? [])]) listener({ kind, value });
  }

  /** The next notice of one of the `kinds`; undefined when `signal` aborts first. Registered at once. */
  next<Kind extends keyof Notices>(
    id: ContainerId,
    kinds: readonly Kind[],
    signal?: AbortSignal,
  ): Promise<Notices[Kind] | undefined> {
    return new Promise((resolve) => {
      const finish = (value: Notices[Kind] | undefined) => {
        this.#drop(id, listener);
        signal?.removeEventListener('abort', abandon);
        resolve(value);
      };
      const abandon = () => finish(undefined);
      const listener: Listener = (notice) => {
        if ((kinds as readonly string[]).includes(notice.kind))
          finish(notice.value as Notices[Kind]);
      };
      this.#add(id, listener);
      if (signal?.aborted === true) abandon();
      else signal?.addEventListener('abort', abandon, { once: true });
    });
  }

  /**
   * The end of a run that is live by its document. Not only `ended`: that notice may have gone out already, while
   * the document still waits for its record.
   */
  endOfLiveRun(id: ContainerId, signal?: AbortSignal): Promise<EndOfRun | undefined> {
    return this.next(id, ['ended', 'settled', 'removed'], signal);
  }

  #add(id: ContainerId, listener: Listener): void {
    const listeners = this.#listeners.get(id) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(id, listeners);
  }

  #drop(id: ContainerId, listener: Listener): void {
    const listeners = this.#listeners.get(id);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(id);
  }
}
