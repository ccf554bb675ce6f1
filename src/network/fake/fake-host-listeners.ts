/** Host listeners that are bound by this process itself, with the book-keeping of the real ones. */
import { closeSync } from 'node:fs';
import { randomId } from '../../shared/ids.ts';
import { duplicateFd } from '../../sys/libc.ts';
import { bindSocket } from '../../sys/listening-socket.ts';
import { noSuchListener } from '../network-errors.ts';
import type { HostListener, HostListeners, ListenRequest } from '../port-publisher.ts';

/** Binds in the current network namespace; an object of this class plays the host across "restarts". */
export class FakeHostListeners implements HostListeners {
  /** The host's own descriptors. */
  readonly #held = new Map<string, HostListener & ListenRequest>();

  open(request: ListenRequest): Promise<HostListener> {
    return settled(() => {
      const socket = bindSocket(request);
      const listenerId = randomId();
      this.#held.set(listenerId, { ...request, ...socket, listenerId });
      return this.#handOver(listenerId);
    });
  }

  close(listenerId: string): Promise<void> {
    return settled(() => {
      const held = this.#held.get(listenerId);
      if (held !== undefined) closeSync(held.fd);
      this.#held.delete(listenerId);
    });
  }

  held(): Promise<readonly (ListenRequest & { readonly listenerId: string })[]> {
    return settled(() =>
      [...this.#held.values()].map(({ protocol, hostIp, hostPort, listenerId }) => ({
        protocol,
        hostIp,
        hostPort,
        listenerId,
      })),
    );
  }

  adopt(listenerId: string): Promise<HostListener> {
    return settled(() => this.#handOver(listenerId));
  }

  /** A copy of the descriptor, as descriptor passing makes one. */
  #handOver(listenerId: string): HostListener {
    const held = this.#held.get(listenerId);
    if (held === undefined) throw noSuchListener(listenerId);
    const { hostIp, hostPort } = held;
    return { listenerId, fd: duplicateFd(held.fd), hostIp, hostPort };
  }
}

/** The outcome of a synchronous step as a promise, refusals included. */
async function settled<T>(step: () => T): Promise<T> {
  return step();
}
