/** `HostDialer` for tests: the host is this process's own network. */
import { connect, type Socket } from 'node:net';
import { parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { connectFrom } from '../../sys/transparent-socket.ts';
import type { HostDialer } from '../host-dialer.ts';

/** Connects from where it is. */
export class FakeHostDialer implements HostDialer {
  connect(target: { readonly host: string; readonly port: number }): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(target);
      socket.once('connect', () => resolve(socket));
      socket.once('error', reject);
    });
  }

  async open({ host, port }: { readonly host: string; readonly port: number }): Promise<number> {
    return connectFrom({ address: parseIpv4(host) ?? 0, port }, undefined);
  }
}
