/** Work that several builds want at the same time is done once; it stops when nobody wants it any more. */

interface Flight<T, Note> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  readonly notes: Note[];
  readonly listeners: Set<(note: Note) => void>;
  waiters: number;
}

/** One who wants a result. */
export interface Waiter<Note> {
  /** Hears what the work tells on its way, also what it told before. */
  onNote(note: Note): void;
  readonly signal: AbortSignal;
}

export class SharedWork<T, Note> {
  readonly #flights = new Map<string, Flight<T, Note>>();

  /** The result of `work`, or of the work of that key that is under way. Rejects with the reason of `signal`. */
  async run(
    key: string,
    waiter: Waiter<Note>,
    work: (note: (note: Note) => void, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    waiter.signal.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    for (const note of flight.notes) waiter.onNote(note);
    const listener = (note: Note) => waiter.onNote(note);
    flight.listeners.add(listener);
    flight.waiters++;
    try {
      return await unlessAborted(flight.result, waiter.signal);
    } finally {
      flight.listeners.delete(listener);
      flight.waiters--;
      if (flight.waiters === 0) flight.stop.abort(waiter.signal.reason);
      // Its clean-up has ended before anybody goes on.
      if (flight.waiters === 0) await flight.result.catch(() => undefined);
    }
  }

  #start(
    key: string,
    work: (note: (note: Note) => void, signal: AbortSignal) => Promise<T>,
  ): Flight<T, Note> {
    const stop = new AbortController();
    const notes: Note[] = [];
    const listeners = new Set<(note: Note) => void>();
    const tell = (note: Note) => {
      notes.push(note);
      for (const listener of listeners) listener(note);
    };
    const result = work(tell, stop.signal).finally(() => this.#flights.delete(key));
    const flight = { result, stop, notes, listeners, waiters: 0 };
    this.#flights.set(key, flight);
    // Whoever comes after the abort must not join.
    stop.signal.addEventListener('abort', () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    return flight;
  }
}

async function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
