/** A published TCP port: each client becomes a stream to the guest. */
import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { cut, joinStreams } from '../../../channel/join-streams.ts';
import type { PortClient, PublishRequest } from '../../../channel/port-requests.ts';
import { TARGETS } from '../../../channel/targets.ts';

/** Opens a stream into the guest. */
export type OpenStream = (target: string) => Duplex;
/** Unbinds a port and cuts its clients. Idempotent. */
export type Closing = () => void;

/** A port that is bound. */
export interface PublishedPort {
  readonly hostPort: number;
  readonly close: Closing;
}

const BACKLOG = 511;

/** Rejects with the system's error when the port cannot be had. */
export function publishTcp(request: PublishRequest, open: OpenStream): Promise<PublishedPort> {
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  server.on('connection', (client) => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
    const from = { address: client.remoteAddress ?? '', port: client.remotePort ?? 0 };
    joinStreams(client, open(clientTarget(request, from)));
  });
  const close = () => {
    server.close();
    for (const client of clients) cut(client);
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const { hostIp: host, hostPort: port } = request;
    server.listen({ host, port, ipv6Only: host.includes(':'), backlog: BACKLOG }, () => {
      const bound = server.address();
      const hostPort = typeof bound === 'object' && bound !== null ? bound.port : port;
      resolve({ hostPort, close });
    });
  });
}

/** What the guest is asked for when there is a client. */
export function clientTarget(request: PublishRequest, client: PortClient['client']): string {
  const { protocol, hostIp, guestPort } = request;
  const told: PortClient = { protocol, isIpv6: hostIp.includes(':'), guestPort, client };
  return `${TARGETS.port} ${JSON.stringify(told)}`;
}
