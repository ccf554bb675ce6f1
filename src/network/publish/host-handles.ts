/** The engine's end of the handle socket: descriptors that the host opens outside of our network namespace. */
import { closeSync, writeSync } from 'node:fs';
import { lostDescriptor } from '../../handshake/handshake-errors.ts';
import type { HostLink } from '../../handshake/host-link.ts';
import type { HostRequest, ListenerName } from '../../handshake/messages.ts';
import { systemClock } from '../../shared/clock.ts';
import { randomId } from '../../shared/ids.ts';
import { receiveDescriptor, sendDescriptor } from '../../sys/descriptor-passing.ts';
import { connectUnixSocket } from '../../sys/socket-calls.ts';
import { errnoCode } from '../../sys/system-errors.ts';

/** A granted request with the descriptor that came with it, which belongs to the caller. */
export interface GrantedHandle {
  readonly fd: number;
  readonly listeners: readonly ListenerName[];
}

type RequestWithToken = Extract<HostRequest, { token: string }>;
/** A request without the token, which is made here. */
export type HandleRequest = {
  [Op in RequestWithToken['op']]: Omit<Extract<RequestWithToken, { op: Op }>, 'token'>;
}[RequestWithToken['op']];

const RECEIVE_TIMEOUT_MS = 5_000;
/** How long a host that is being replaced is waited for: as long as for an answer of one that is there. */
const HOST_TIMEOUT_MS = 30_000;
const HOST_RETRY_MS = 50;

/** Fetches descriptors from the host and gives them back. */
export class HostHandles {
  readonly #socketPath: string;
  readonly #link: () => Pick<HostLink, 'request'>;

  /** `socketPath` is the host's handle socket; `link` the conversation that names the tokens. */
  constructor(socketPath: string, link: () => Pick<HostLink, 'request'>) {
    this.#socketPath = socketPath;
    this.#link = link;
  }

  /**
   * Asks for a descriptor. Waits for a host when there is none right now. Rejects with its refusal. The token is written before the request is sent: the
   * host finds the connection waiting when it learns of the token.
   */
  async fetch(request: HandleRequest): Promise<GrantedHandle> {
    const token = randomId();
    const connection = await this.#connect();
    try {
      writeSync(connection, token);
      const { listeners } = await this.#link().request({ ...request, token } as HostRequest);
      const timeout = AbortSignal.timeout(RECEIVE_TIMEOUT_MS);
      const received = await receiveDescriptor(connection, timeout);
      if (received?.fd === undefined) throw lostDescriptor(request.op);
      return { fd: received.fd, listeners };
    } finally {
      closeSync(connection);
    }
  }

  async #connect(): Promise<number> {
    const deadline = systemClock.now() + HOST_TIMEOUT_MS;
    for (;;) {
      try {
        return connectUnixSocket(this.#socketPath, { nonBlocking: true });
      } catch (error) {
        const isAway = ['ECONNREFUSED', 'ENOENT'].includes(errnoCode(error) ?? '');
        if (!isAway || systemClock.now() > deadline) throw error;
      }
      await systemClock.sleep(HOST_RETRY_MS);
    }
  }

  /** Asks for something that comes without a descriptor. */
  async ask(request: Exclude<HostRequest, RequestWithToken>): Promise<readonly ListenerName[]> {
    return (await this.#link().request(request)).listeners;
  }

  /** Sends a copy of `fd` to the host under `token`. It waits there until the host collects it. */
  giveBack(token: string, fd: number): void {
    const connection = connectUnixSocket(this.#socketPath, { nonBlocking: true });
    try {
      sendDescriptor(connection, Buffer.from(token), fd);
    } finally {
      closeSync(connection);
    }
  }
}
