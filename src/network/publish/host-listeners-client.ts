/** `HostListeners` over the conversation with the host process. */
import { closeSync } from 'node:fs';
import type { ListenerName } from '../../handshake/messages.ts';
import { invariant } from '../../shared/errors.ts';
import { duplicateFd } from '../../sys/libc.ts';
import type { HostListener, HostListeners, ListenRequest } from '../port-publisher.ts';
import type { GrantedHandle, HostHandles } from './host-handles.ts';

interface Held {
  readonly name: ListenerName;
  /** Our own copy: the caller closes its descriptor when it likes, and the number may then mean something else. */
  readonly fd: number;
}

/** Listening sockets bound by the host, for published ports and for the API. */
export class HostListenersClient implements HostListeners {
  readonly #handles: HostHandles;
  readonly #held = new Map<string, Held>();

  constructor(handles: HostHandles) {
    this.#handles = handles;
  }

  async open(request: ListenRequest): Promise<HostListener> {
    return this.#keep(await this.#handles.fetch({ op: 'open-listener', ...request }));
  }

  async close(listenerId: string): Promise<void> {
    this.#release(listenerId);
    await this.#handles.ask({ op: 'close-listener', listenerId });
  }

  async held(): Promise<readonly (ListenRequest & { readonly listenerId: string })[]> {
    const names = await this.#handles.ask({ op: 'list-listeners' });
    return names.flatMap(({ listenerId, protocol, hostIp, hostPort }) =>
      protocol === 'api' ? [] : [{ listenerId, protocol, hostIp, hostPort }],
    );
  }

  async adopt(listenerId: string): Promise<HostListener> {
    return this.#keep(await this.#handles.fetch({ op: 'take-listener', listenerId }));
  }

  /** What this engine could give back to a host that was replaced. */
  names(): readonly ListenerName[] {
    return [...this.#held.values()].map(({ name }) => name);
  }

  /** Sends a listener's descriptor to the host under `token`; false when it is not held here. */
  giveBack(listenerId: string, token: string): boolean {
    const held = this.#held.get(listenerId);
    if (held === undefined) return false;
    this.#handles.giveBack(token, held.fd);
    return true;
  }

  #keep({ fd, listeners: [name] }: GrantedHandle): HostListener {
    invariant(name !== undefined, 'a granted listener has a name');
    this.#release(name.listenerId);
    this.#held.set(name.listenerId, { name, fd: duplicateFd(fd) });
    return { listenerId: name.listenerId, fd, hostIp: name.hostIp, hostPort: name.hostPort };
  }

  #release(listenerId: string): void {
    const held = this.#held.get(listenerId);
    if (held === undefined) return;
    this.#held.delete(listenerId);
    closeSync(held.fd);
  }
}
