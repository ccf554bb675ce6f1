/** The host's conversation with whichever engine runs now. */
import type { EnginePort } from '../handshake/engine-port.ts';
import type { HostFacts } from '../handshake/host-facts.ts';
import { type EngineMessage, PROTOCOL } from '../handshake/messages.ts';
import type { Logger } from '../shared/logger.ts';
import type { StoredCredentials } from './credentials/stored-credentials.ts';
import { EngineRequests } from './engine-requests.ts';
import { Gate } from './gate.ts';
import type { HandleSocket } from './handle-socket.ts';
import type { ListenerRegistry } from './listener-registry.ts';
import { ListenerReturns } from './listener-returns.ts';
import type { OuterPorts } from './outer/outer-ports.ts';

/** What the session needs and whom it tells. */
export interface EngineSessionOptions {
  /** Version of this host: an engine of another one is replaced. */
  readonly version: string;
  readonly listeners: ListenerRegistry;
  readonly handles: HandleSocket;
  readonly credentials: StoredCredentials;
  /** Absent when this is no virtual machine's. */
  readonly outer?: OuterPorts;
  /** Resolves once everything the engine must know is known. */
  readonly facts: () => Promise<HostFacts>;
  /** The engine's API answers. */
  readonly onReady: () => void;
  readonly logger: Logger;
}

type Hello = Extract<EngineMessage, { type: 'engine-hello' }>;

/** Speaks with one engine after the other. */
export class EngineSession {
  readonly #options: EngineSessionOptions;
  readonly #requests: EngineRequests;
  readonly #returns: ListenerReturns;
  readonly #joined = new Gate();
  #engine: { readonly port: EnginePort; readonly version: string } | undefined;
  #warnings: readonly string[] = [];

  constructor(options: EngineSessionOptions) {
    this.#options = options;
    this.#requests = new EngineRequests(options);
    this.#returns = new ListenerReturns(options);
  }

  /** Resolves when an engine has said hello for the first time and has given back the sockets it held. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  /** Version of the engine that is connected. */
  get engineVersion(): string | undefined {
    return this.#engine?.version;
  }

  /** What the engine that is connected wants the user to know. */
  get engineWarnings(): readonly string[] {
    return this.#engine === undefined ? [] : this.#warnings;
  }

  /** An engine says hello: takes its sockets back and tells it the facts, or replaces it by one of our version. */
  async greet(port: EnginePort, hello: Hello): Promise<void> {
    const { version, logger } = this.#options;
    this.#engine = { port, version: hello.version };
    if (hello.protocol === PROTOCOL) await this.#returns.reclaim(port, hello.listeners);
    this.#joined.resolve();
    if (hello.protocol === PROTOCOL && hello.version === version) {
      port.sendFacts(await this.#options.facts());
      return;
    }
    logger.info('replacing an engine of another version', { version: hello.version });
    port.shutdown('handover');
  }

  /** A later message of an engine. Never rejects for what the engine asks in vain. */
  async hear(port: EnginePort, message: EngineMessage): Promise<void> {
    switch (message.type) {
      case 'engine-ready':
        this.#warnings = message.warnings;
        return this.#options.onReady();
      case 'request':
        return this.#requests.answer(port, message.id, message.request);
      case 'listener-returned':
        return this.#returns.settle(message.listenerId, true);
      case 'listener-missing':
        return this.#returns.settle(message.listenerId, false);
      case 'engine-hello':
        return this.greet(port, message);
    }
  }

  /** Tells the engine to end with its containers; false when none is connected. */
  askToStop(reason: 'stop' | 'machine-lost'): boolean {
    this.#engine?.port.shutdown(reason);
    return this.#engine !== undefined;
  }

  /** The engine has ended. */
  forget(): void {
    this.#engine = undefined;
  }
}
