/** A name server that is opened again when the kernel takes its sockets away: a container is never left without names. */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { NameServer, type Responder } from './name-server.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;

/** Where a server listens, and what it answers. */
export interface NameServerPlace {
  readonly netnsPath: string;
  readonly respond: Responder;
  readonly logger: Logger;
}

export class KeptNameServer {
  readonly #place: NameServerPlace;
  readonly #closing = new AbortController();
  #server: NameServer | undefined;
  #reopening: Promise<void> = Promise.resolve();

  private constructor(place: NameServerPlace) {
    this.#place = place;
  }

  /** Fails when the first attempt does; later ones are repeated. */
  static async open(place: NameServerPlace): Promise<KeptNameServer> {
    const kept = new KeptNameServer(place);
    await kept.#open();
    return kept;
  }

  /** Stops listening for good. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#reopening;
    await this.#server?.close();
  }

  async #open(): Promise<void> {
    const { netnsPath, respond } = this.#place;
    this.#server = await NameServer.open(netnsPath, {
      respond,
      onFailure: (error) => {
        this.#reopening = this.#reopen(error);
      },
    });
  }

  async #reopen(error: unknown): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return;
    const { logger } = this.#place;
    logger.warn('a name server is opened again', { reason: messageOf(error) });
    await this.#server?.close();
    this.#server = undefined;
    for (
      let pause = FIRST_PAUSE_MS;
      !signal.aborted;
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
    ) {
      try {
        await this.#open();
        return;
      } catch (reason) {
        logger.debug('a name server cannot be opened yet', { reason: messageOf(reason) });
        await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }
}
