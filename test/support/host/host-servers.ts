/** Servers on the host that containers try to reach. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';

/** An address that others reach this host at; empty without one. */
export function hostAddress(family: 'IPv4' | 'IPv6'): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const usable = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80'));
  return usable.find((one) => one.family === family)?.address ?? '';
}

/** A server that says `text` to everyone and hangs up. */
export async function speaker(
  address: string,
  text: string,
): Promise<Disposable & { readonly port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(text);
  });
  await once(server.listen(0, address), 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.dispose]: () => server.close() };
}
