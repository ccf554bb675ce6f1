/**
 * The engine's end of its conversation with the host. The link outlives single connections: when the host is
 * replaced, the engine keeps running and says hello to the next one.
 */
import type { Duplex } from 'node:stream';
import type { Clock } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { channelClosed, handshakeDeadline, refusedByHost } from './handshake-errors.ts';
import type { HostFacts } from './host-facts.ts';
import { LineConnection } from './line-connection.ts';
import {
  decodeHostMessage,
  type EngineMessage,
  type Grant,
  type HostMessage,
  type HostRequest,
  type ListenerName,
  PROTOCOL,
  type ShutdownReason,
} from './messages.ts';

/** What the link is made of and whom it tells. */
export interface HostLinkOptions {
  /** Opens a connection to the host's socket; rejects while there is no host. */
  readonly dial: () => Promise<Duplex>;
  readonly pid: number;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Listeners whose descriptors this engine holds at the moment of a hello. */
  readonly heldListeners: () => readonly ListenerName[];
  /** Sends the descriptor of a listener under `token`; false when it is not held. */
  readonly returnListener: (listenerId: string, token: string) => boolean;
  /** Facts arrived: the first time, and again from each later host. */
  readonly onFacts: (facts: HostFacts) => void;
  readonly onShutdown: (reason: ShutdownReason) => void;
}

interface Pending {
  readonly resolve: (grant: Grant) => void;
  readonly reject: (error: unknown) => void;
}

const REQUEST_TIMEOUT_MS = 30_000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1_000;
/** For requests that nobody waits for any more. */
const NOTHING: Grant = { listeners: [] };

/** Keeps one connection to the host alive and carries requests over it. */
export class HostLink {
  readonly #options: HostLinkOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #waiters = new Set<() => void>();
  #connection: LineConnection | undefined;
  #nextId = 1;
  /** Warnings of an engine that is ready. */
  #ready: readonly string[] | undefined;

  constructor(options: HostLinkOptions) {
    this.#options = options;
  }

  /** Connects, says hello and does so again whenever the connection is lost, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let delayMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      try {
        const stream = await this.#options.dial();
        delayMs = FIRST_RETRY_MS;
        await this.#converse(stream, signal);
        if (!signal.aborted)
          this.#options.logger.warn('lost the host process; waiting for the next one');
      } catch (error) {
        this.#options.logger.debug('the host does not answer', { error: messageOf(error) });
      }
      await this.#options.clock.sleep(delayMs, signal);
      delayMs = Math.min(delayMs * 2, LAST_RETRY_MS);
    }
  }

  /** Tells this host and all later ones that the API answers, and what the user should know of the engine. */
  announceReady(warnings: readonly string[] = []): void {
    this.#ready = warnings;
    this.#sendReady(warnings);
  }

  /**
   * Asks the host for something. Waits for a host when there is none right now. Rejects with the host's own kind
   * of error, `unavailable` when the host ends meanwhile, `deadline` after 30 s.
   */
  async request(request: HostRequest): Promise<Grant> {
    const timeout = new AbortController();
    const late = this.#options.clock.sleep(REQUEST_TIMEOUT_MS, timeout.signal).then(() => {
      if (!timeout.signal.aborted)
        throw handshakeDeadline(`answer to ${request.op}`, REQUEST_TIMEOUT_MS);
      return NOTHING;
    });
    const id = this.#nextId++;
    try {
      return await Promise.race([this.#ask(id, request, timeout.signal), late]);
    } finally {
      this.#pending.delete(id);
      timeout.abort();
    }
  }

  async #ask(id: number, request: HostRequest, givenUp: AbortSignal): Promise<Grant> {
    while (this.#connection === undefined && !givenUp.aborted) {
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
    if (givenUp.aborted) return NOTHING;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#send({ type: 'request', id, request });
    });
  }

  /** Resolves when the connection has ended. */
  #converse(stream: Duplex, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const onAbort = () => connection.close();
      const connection = new LineConnection(stream, {
        onValue: (value) => this.#receive(decodeHostMessage(value)),
        onClosed: (error) => {
          signal.removeEventListener('abort', onAbort);
          this.#forget(error);
          resolve();
        },
      });
      signal.addEventListener('abort', onAbort, { once: true });
      this.#connection = connection;
      this.#sayHello();
    });
  }

  #sayHello(): void {
    const { pid, version, heldListeners } = this.#options;
    const listeners = [...heldListeners()];
    this.#send({ type: 'engine-hello', pid, version, protocol: PROTOCOL, listeners });
    if (this.#ready !== undefined) this.#sendReady(this.#ready);
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }

  #sendReady(warnings: readonly string[]): void {
    this.#send({ type: 'engine-ready', warnings: [...warnings] });
  }

  #forget(error: unknown): void {
    this.#connection = undefined;
    if (error !== undefined) {
      this.#options.logger.warn('the connection to the host broke', { error: messageOf(error) });
    }
    for (const pending of this.#pending.values()) pending.reject(channelClosed('an answer'));
    this.#pending.clear();
  }

  #receive(message: HostMessage): void {
    switch (message.type) {
      case 'host-facts':
        this.#options.onFacts(message.facts);
        break;
      case 'granted':
        this.#pending.get(message.id)?.resolve(message);
        break;
      case 'refused':
        this.#pending.get(message.id)?.reject(refusedByHost(message.refusal));
        break;
      case 'return-listener':
        this.#giveBack(message.listenerId, message.token);
        break;
      case 'shutdown':
        this.#options.onShutdown(message.reason);
        break;
    }
  }

  #giveBack(listenerId: string, token: string): void {
    if (this.#options.returnListener(listenerId, token)) {
      this.#send({ type: 'listener-returned', listenerId, token });
    } else {
      this.#send({ type: 'listener-missing', listenerId });
    }
  }

  #send(message: EngineMessage): void {
    this.#connection?.send(message);
  }
}
