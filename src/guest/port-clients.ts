/** Clients of published ports, which the host hands in: led to the engine's listener, in their own name where that can be. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { createConnection, isIPv4, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { DatagramDecoder, encodeDatagram } from '../channel/datagrams.ts';
import { joinStreams } from '../channel/join-streams.ts';
import { DOOR, type PortClient } from '../channel/port-requests.ts';
import { parseIpv4 } from '../sys/netlink/ipv4.ts';
import { RouteSocket } from '../sys/netlink/route-socket.ts';
import { type BorrowedSource, connectFrom, openDatagramSocket } from '../sys/transparent-socket.ts';

const DOOR_ADDRESS = parseIpv4(DOOR.ipv4) ?? 0;
const TABLE = 88;
const LOOPBACK_NET = 127;

/** Answers of the door come to the agent's sockets, whatever address they are for. Once for each boot; idempotent. */
export function openDoor(): void {
  RouteSocket.with((routes) => routes.deliverHere({ from: DOOR_ADDRESS, table: TABLE }));
}

/** Serves one client until one side has gone. */
export async function servePortClient(client: PortClient, stream: Duplex): Promise<void> {
  if (client.protocol === 'tcp') joinStreams(stream, await connectTcp(client));
  else joinDatagrams(stream, await connectUdp(client));
}

function connectTcp(client: PortClient): Promise<Socket> {
  const source = sourceOf(client);
  if (source !== undefined) {
    const fd = connectFrom({ address: DOOR_ADDRESS, port: client.guestPort }, source);
    return Promise.resolve(new Socket({ fd, allowHalfOpen: true, writable: true }));
  }
  const socket = createConnection({ ...plainPlace(client), allowHalfOpen: true, noDelay: true });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => resolve(socket.off('error', reject)));
  });
}

/** Clients on the host's loopback have one here. */
function plainPlace({ isIpv6, guestPort }: PortClient) {
  if (isIpv6) return { host: DOOR.ipv6, port: guestPort };
  return { host: DOOR.ipv4, port: guestPort, localAddress: '127.0.0.1' };
}

function sourceOf({ isIpv6, client }: PortClient): BorrowedSource | undefined {
  const address = isIPv4(client.address) ? parseIpv4(client.address) : undefined;
  if (isIpv6 || address === undefined || address >>> 24 === LOOPBACK_NET) return undefined;
  return { address, port: client.port, mark: 0 };
}

async function connectUdp(client: PortClient): Promise<DatagramSocket> {
  const source = sourceOf(client);
  const socket = createSocket(client.isIpv6 ? 'udp6' : 'udp4');
  if (source !== undefined) socket.bind({ fd: openDatagramSocket(source) });
  else if (!client.isIpv6) socket.bind({ address: '127.0.0.1' });
  const place = plainPlace(client);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.connect(place.port, place.host, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  return socket;
}

function joinDatagrams(stream: Duplex, socket: DatagramSocket): void {
  const decoder = new DatagramDecoder();
  // Nobody listens (yet): datagrams may be lost.
  socket.on('error', () => undefined);
  socket.on('message', (datagram) => {
    if (!stream.writableNeedDrain) stream.write(encodeDatagram(datagram));
  });
  stream.on('data', (chunk: Buffer) => {
    for (const datagram of decoder.push(chunk)) socket.send(datagram, () => undefined);
  });
  stream.once('end', () => stream.destroy());
  stream.once('close', () => socket.close());
}
