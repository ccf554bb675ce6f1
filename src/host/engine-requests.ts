/** What the engine asks of the host: sockets outside of its network namespace, and the user's credentials. */
import { createConnection, type Socket } from 'node:net';
import type { EnginePort } from '../handshake/engine-port.ts';
import type { Grant, HostRequest, ListenerName, Refusal } from '../handshake/messages.ts';
import { kindOf, messageOf } from '../shared/errors.ts';
import { socketDescriptor } from '../sys/descriptor-passing.ts';
import { errnoCode } from '../sys/system-errors.ts';
import type { StoredCredentials } from './credentials/stored-credentials.ts';
import type { HandleSocket } from './handle-socket.ts';
import { cannotConnect } from './host-errors.ts';
import type { ListenerRegistry } from './listener-registry.ts';
import type { OuterPorts } from './outer/outer-ports.ts';

const CONNECT_TIMEOUT_MS = 30_000;

type SocketRequest = Exclude<HostRequest, { op: 'find-credentials' }>;

/** Answers requests. Every request gets exactly one answer; a refused one leaves nothing open. */
export class EngineRequests {
  readonly #listeners: ListenerRegistry;
  readonly #handles: HandleSocket;
  readonly #credentials: StoredCredentials;
  readonly #outer: OuterPorts | undefined;

  constructor(parts: {
    readonly listeners: ListenerRegistry;
    readonly handles: HandleSocket;
    readonly credentials: StoredCredentials;
    readonly outer?: OuterPorts;
  }) {
    this.#listeners = parts.listeners;
    this.#handles = parts.handles;
    this.#credentials = parts.credentials;
    this.#outer = parts.outer;
  }

  /** Does what is asked and tells the engine. Never rejects. */
  async answer(port: EnginePort, id: number, request: HostRequest): Promise<void> {
    try {
      port.grant(id, await this.#perform(request));
    } catch (error) {
      if ('token' in request) await this.#handles.discard(request.token).catch(() => undefined);
      port.refuse(id, toRefusal(error));
    }
  }

  async #perform(request: HostRequest): Promise<Grant> {
    if (request.op !== 'find-credentials') {
      return { listeners: [...(await this.#performOnSockets(request))] };
    }
    const credentials = await this.#credentials.find(request.domain);
    return { listeners: [], ...(credentials === undefined ? {} : { credentials }) };
  }

  async #performOnSockets(request: SocketRequest): Promise<readonly ListenerName[]> {
    switch (request.op) {
      case 'open-listener':
        return this.#open(request);
      case 'take-listener':
        await this.#handles.give(request.token, this.#listeners.descriptor(request.listenerId));
        return [this.#listeners.name(request.listenerId)];
      case 'close-listener':
        this.#close(request.listenerId);
        return [];
      case 'list-listeners':
        return this.#listeners.ports();
      case 'open-connection':
        await this.#connect(request);
        return [];
    }
  }

  async #open(
    request: Extract<HostRequest, { op: 'open-listener' }>,
  ): Promise<readonly ListenerName[]> {
    const name =
      this.#outer === undefined
        ? this.#listeners.openPort(request)
        : await this.#outer.open(request);
    try {
      await this.#handles.give(request.token, this.#listeners.descriptor(name.listenerId));
      return [name];
    } catch (error) {
      this.#close(name.listenerId);
      throw error;
    }
  }

  #close(listenerId: string): void {
    this.#outer?.close(listenerId);
    this.#listeners.close(listenerId);
  }

  async #connect(request: Extract<HostRequest, { op: 'open-connection' }>): Promise<void> {
    const { host, port } = request;
    const isOutside = this.#outer !== undefined && isLoopback(host);
    const socket = isOutside ? await this.#outer.connect(host, port) : await connect(host, port);
    try {
      await this.#handles.give(request.token, socketDescriptor(socket));
    } finally {
      // The engine has its own copy by now: closing ours does not end the connection.
      socket.destroy();
    }
  }
}

/** In a virtual machine that of the computer around it is meant. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.[\d.]+$/.test(host);
}

/** Paused from the start: bytes of a server that speaks first must be the engine's to read. */
function connect(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const target = `${host}:${port}`;
    const socket = createConnection({ host, port, noDelay: true });
    socket.pause();
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
      socket.destroy();
      reject(cannotConnect(target, 'ETIMEDOUT', undefined));
    });
    socket.once('error', (error) => reject(cannotConnect(target, errnoCode(error), error)));
    socket.once('connect', () => {
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

function toRefusal(error: unknown): Refusal {
  const code = errnoCode(error);
  return {
    kind: kindOf(error),
    message: messageOf(error),
    ...(code === undefined ? {} : { code }),
  };
}
