/** Archives that one request brings and another's build reads; either may come first. */

interface Meeting {
  readonly body: Promise<AsyncIterable<Uint8Array>>;
  give(body: AsyncIterable<Uint8Array>): void;
  readonly over: Promise<void>;
  end(): void;
}

export class Uploads {
  readonly #meetings = new Map<string, Meeting>();

  /** Brings the archive of the build of that id. Resolves when the build needs no more of it, or `signal` aborts. */
  async bring(id: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const meeting = this.#at(id);
    meeting.give(body);
    await orAborted(meeting.over, signal).catch(() => undefined);
    this.end(id);
  }

  /** The archive, once it is there. Rejects when `signal` aborts before. */
  take(id: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return orAborted(this.#at(id).body, signal);
  }

  /** The build is over. */
  end(id: string): void {
    this.#meetings.get(id)?.end();
    this.#meetings.delete(id);
  }

  #at(id: string): Meeting {
    const known = this.#meetings.get(id);
    if (known !== undefined) return known;
    let give: Meeting['give'] = () => undefined;
    let end: Meeting['end'] = () => undefined;
    const body = new Promise<AsyncIterable<Uint8Array>>((resolve) => {
      give = resolve;
    });
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    const meeting = { body, give, over, end };
    this.#meetings.set(id, meeting);
    return meeting;
  }
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    if (signal.aborted) return giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
