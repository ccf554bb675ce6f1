/** Listening sockets that the host keeps open for the engine, so that they outlive any one engine. */
import { closeSync } from 'node:fs';
import { lstat, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import type { ListenerName } from '../handshake/messages.ts';
import { randomId } from '../shared/ids.ts';
import { bindSocket, bindUnixSocket } from '../sys/listening-socket.ts';
import { errnoCode } from '../sys/system-errors.ts';
import type { ApiAddress } from './api-address.ts';
import { apiAddressInUse, cannotListen, noSuchListener } from './host-errors.ts';

interface Held {
  readonly name: ListenerName;
  readonly fd: number;
}

/** Owns the host's copies of listening sockets. */
export class ListenerRegistry {
  readonly #held = new Map<string, Held>();

  /** Binds a host port. `conflict` with `details.code` when the kernel refuses. */
  openPort(request: {
    readonly protocol: 'tcp' | 'udp';
    readonly hostIp: string;
    readonly hostPort: number;
  }): ListenerName {
    const { protocol, hostIp } = request;
    try {
      const bound = bindSocket(request);
      return this.#hold(
        { listenerId: randomId(), protocol, hostIp, hostPort: bound.hostPort },
        bound.fd,
      );
    } catch (error) {
      const code = errnoCode(error);
      if (code === undefined) throw error;
      const where = hostIp.includes(':') ? `[${hostIp}]` : hostIp;
      throw cannotListen(`${protocol} ${where}:${request.hostPort}`, code, error);
    }
  }

  /**
   * Binds a socket of the API. A unix socket that nobody serves any more is replaced. `conflict` when somebody
   * does serve the address.
   */
  async openApi(address: Exclude<ApiAddress, { scheme: 'fd' }>): Promise<ListenerName> {
    const name = apiListenerName(address.text);
    if (this.#held.has(name.listenerId)) return name;
    try {
      return this.#hold(name, await bindApi(address));
    } catch (error) {
      if (errnoCode(error) === 'EADDRINUSE') throw apiAddressInUse(address.text);
      throw error;
    }
  }

  /** Keeps a socket that came from elsewhere: inherited, or returned by the engine. */
  adopt(name: ListenerName, fd: number): ListenerName {
    const before = this.#held.get(name.listenerId);
    if (before !== undefined) closeSync(before.fd);
    return this.#hold(name, fd);
  }

  /** The descriptor of a listener; stays the registry's. `not-found` when it is not held. */
  descriptor(listenerId: string): number {
    return this.#get(listenerId).fd;
  }

  /** What a listener is bound to. `not-found` when it is not held. */
  name(listenerId: string): ListenerName {
    return this.#get(listenerId).name;
  }

  has(listenerId: string): boolean {
    return this.#held.has(listenerId);
  }

  /** The published ports, without the API's own sockets. */
  ports(): readonly ListenerName[] {
    return [...this.#held.values()]
      .map(({ name }) => name)
      .filter(({ protocol }) => protocol !== 'api');
  }

  /** Closes the host's copy. Idempotent. */
  close(listenerId: string): void {
    const held = this.#held.get(listenerId);
    if (held === undefined) return;
    this.#held.delete(listenerId);
    closeSync(held.fd);
  }

  /** Closes everything. */
  closeAll(): void {
    for (const listenerId of [...this.#held.keys()]) this.close(listenerId);
  }

  #hold(name: ListenerName, fd: number): ListenerName {
    this.#held.set(name.listenerId, { name, fd });
    return name;
  }

  #get(listenerId: string): Held {
    const held = this.#held.get(listenerId);
    if (held === undefined) throw noSuchListener(listenerId);
    return held;
  }
}

/** The name of an API socket: stable, so that a later host recognises it. */
export function apiListenerName(address: string): ListenerName {
  return { listenerId: `api:${address}`, protocol: 'api', hostIp: '', hostPort: 0 };
}

/** The path of an API socket with this id; undefined when it is of another kind. */
export function apiSocketPath(listenerId: string): string | undefined {
  const prefix = 'api:unix://';
  return listenerId.startsWith(prefix) ? listenerId.slice(prefix.length) : undefined;
}

async function bindApi(address: Exclude<ApiAddress, { scheme: 'fd' }>): Promise<number> {
  if (address.scheme === 'tcp') {
    return bindSocket({ protocol: 'tcp', hostIp: address.hostIp, hostPort: address.port }).fd;
  }
  try {
    return bindUnixSocket(address.path, 0o600);
  } catch (error) {
    if (errnoCode(error) !== 'EADDRINUSE' || (await isServed(address.path))) throw error;
    await rm(address.path, { force: true });
    return bindUnixSocket(address.path, 0o600);
  }
}

/** True when somebody accepts on the socket, or it is no socket at all and hence not ours to remove. */
export async function isServed(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return true;
  return new Promise((resolve) => {
    const probe = createConnection({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => resolve(errnoCode(error) !== 'ECONNREFUSED'));
  });
}
