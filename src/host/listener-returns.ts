/** Getting listening sockets back from an engine that outlived the host which had bound them. */
import type { EnginePort } from '../handshake/engine-port.ts';
import type { ListenerName } from '../handshake/messages.ts';
import { randomId } from '../shared/ids.ts';
import type { HandleSocket } from './handle-socket.ts';
import type { ListenerRegistry } from './listener-registry.ts';
import type { OuterPorts } from './outer/outer-ports.ts';

const RETURN_TIMEOUT_MS = 5_000;

/** Asks for descriptors one by one and matches the answers. */
export class ListenerReturns {
  readonly #listeners: ListenerRegistry;
  readonly #handles: HandleSocket;
  readonly #outer: OuterPorts | undefined;
  readonly #asked = new Map<string, (arrived: boolean) => void>();

  constructor(parts: {
    readonly listeners: ListenerRegistry;
    readonly handles: HandleSocket;
    readonly outer?: OuterPorts;
  }) {
    this.#listeners = parts.listeners;
    this.#handles = parts.handles;
    this.#outer = parts.outer;
  }

  /** Takes back every named listener that is not held here; those that do not come are left out. */
  async reclaim(port: EnginePort, names: readonly ListenerName[]): Promise<void> {
    for (const name of names) {
      if (this.#listeners.has(name.listenerId)) continue;
      const token = randomId();
      if (!(await this.#ask(port, name.listenerId, token))) continue;
      this.#listeners.adopt(name, await this.#handles.collect(token));
      this.#outer?.publishAgain(name);
    }
  }

  /** The engine has sent the descriptor (or has none) of the listener it was asked for. */
  settle(listenerId: string, arrived: boolean): void {
    this.#asked.get(listenerId)?.(arrived);
  }

  #ask(port: EnginePort, listenerId: string, token: string): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (arrived: boolean) => {
        clearTimeout(timer);
        this.#asked.delete(listenerId);
        resolve(arrived);
      };
      const timer = setTimeout(() => finish(false), RETURN_TIMEOUT_MS);
      this.#asked.set(listenerId, finish);
      port.askForListener(listenerId, token);
    });
  }
}
