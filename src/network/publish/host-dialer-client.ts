/** `HostDialer` over the conversation with the host process. */
import { Socket } from 'node:net';
import type { HostDialer } from '../host-dialer.ts';
import type { HostHandles } from './host-handles.ts';

/** Connections that the host opens and hands over: no user-space hop, no uplink in between. */
export class HostDialerClient implements HostDialer {
  readonly #handles: HostHandles;

  constructor(handles: HostHandles) {
    this.#handles = handles;
  }

  async connect(target: { readonly host: string; readonly port: number }): Promise<Socket> {
    return new Socket({ fd: await this.open(target), readable: true, writable: true });
  }

  async open(target: { readonly host: string; readonly port: number }): Promise<number> {
    const { fd } = await this.#handles.fetch({ op: 'open-connection', ...target });
    return fd;
  }
}
