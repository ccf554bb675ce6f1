/** Which servers outside have answered lately. A dead one costs a question little until it has had time to come back. */
import type { Clock } from '../../shared/clock.ts';

/** Docker's patience with each server. */
const PATIENCE_MS = 4000;
/** Patience with a server that was silent a moment ago. */
const SHORT_PATIENCE_MS = 500;
const SILENT_FOR_MS = 10_000;

/** A server and how long to wait for it. */
export interface UpstreamTry {
  readonly server: string;
  readonly timeoutMs: number;
}

export class UpstreamHealth {
  readonly #clock: Pick<Clock, 'now'>;
  /** When a server was last found silent, in milliseconds. */
  readonly #silentSince = new Map<string, number>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** The servers in the order to ask them: as given, those that are silent last. */
  order(servers: readonly string[]): readonly UpstreamTry[] {
    const tries = servers.map((server) => ({
      server,
      timeoutMs: this.#isSilent(server) ? SHORT_PATIENCE_MS : PATIENCE_MS,
    }));
    return tries.toSorted((left, right) => right.timeoutMs - left.timeoutMs);
  }

  /** Notes what came of asking a server. */
  note(server: string, answered: boolean): void {
    if (answered) this.#silentSince.delete(server);
    else this.#silentSince.set(server, this.#clock.now());
  }

  #isSilent(server: string): boolean {
    const since = this.#silentSince.get(server);
    return since !== undefined && this.#clock.now() - since < SILENT_FOR_MS;
  }
}
