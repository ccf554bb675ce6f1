/** Asks name servers outside, over the transport that the question came by. */
import { createSocket, type Socket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Transport } from './answer-query.ts';
import { frameMessage, MessageReader } from './tcp-messages.ts';
import type { UpstreamHealth, UpstreamTry } from './upstream-health.ts';

const DNS_PORT = 53;

/** A question and whom to ask it. */
export interface ForwardedQuery {
  readonly message: Buffer;
  readonly transport: Transport;
  /** Addresses, optionally with a port (`address#port`). */
  readonly servers: readonly string[];
}

/** The first answer as it came, or undefined when no server gave one in time. */
export async function forwardQuery(
  query: ForwardedQuery,
  health: UpstreamHealth,
): Promise<Buffer | undefined> {
  const ask = query.transport === 'udp' ? askOverUdp : askOverTcp;
  for (const next of health.order(query.servers)) {
    const answer = await ask(query.message, next).catch(() => undefined);
    health.note(next.server, answer !== undefined);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

function parseServer(server: string): { address: string; port: number } {
  const [address = '', port] = server.split('#');
  return { address, port: port === undefined ? DNS_PORT : Number(port) };
}

function askOverUdp(message: Buffer, { server, timeoutMs }: UpstreamTry): Promise<Buffer> {
  const { address, port } = parseServer(server);
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  return new Promise<Buffer>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('timeout')), timeoutMs);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    socket.once('error', (error) => settle(() => reject(error)));
    socket.on('message', (answer) => {
      if (isAnswerTo(message, answer)) settle(() => resolve(answer));
    });
    // A server that no route leads to is told here, not as an event; sending would throw then.
    const begin = (error?: Error) =>
      error === undefined ? send(socket, message) : settle(() => reject(error));
    socket.connect(port, address, begin as () => void);
  }).finally(() => socket.close());
}

/** A socket that was closed meanwhile needs no datagram. */
function send(socket: Socket, message: Buffer): void {
  socket.send(message, () => undefined);
}

/** An answer repeats the identifier of its question. */
function isAnswerTo(message: Buffer, answer: Buffer): boolean {
  return answer.length >= 12 && answer.readUInt16BE(0) === message.readUInt16BE(0);
}

function askOverTcp(message: Buffer, { server, timeoutMs }: UpstreamTry): Promise<Buffer> {
  const { address, port } = parseServer(server);
  const socket = connect({ host: address, port, timeout: timeoutMs });
  return new Promise<Buffer>((resolve, reject) => {
    const reader = new MessageReader(resolve);
    socket.once('connect', () => socket.write(frameMessage(message)));
    socket.on('data', (chunk) => reader.push(chunk));
    socket.once('timeout', () => reject(new Error('timeout')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  }).finally(() => socket.destroy());
}
