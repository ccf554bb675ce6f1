/** What the guest asks of this computer: published ports, and connections to what listens on its loopback. */
import { createConnection, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { cut, joinStreams } from '../../../channel/join-streams.ts';
import { decodeOuterRequest, type OuterAnswer } from '../../../channel/port-requests.ts';
import { OUTER_TARGET } from '../../../channel/targets.ts';
import { errnoCode } from '../../../sys/system-errors.ts';
import { type Closing, type OpenStream, publishTcp } from './publish-tcp.ts';
import { publishUdp } from './publish-udp.ts';

const CONNECT_TIMEOUT_MS = 30_000;

/** Answers a request that came with a new stream; `open` leads back into the guest. Never throws. */
export function serveGuest(target: string, stream: Duplex, open: OpenStream): void {
  stream.on('error', () => undefined);
  const value = target.startsWith(`${OUTER_TARGET} `) ? target.slice(OUTER_TARGET.length + 1) : '';
  perform(value, stream, open).catch((error: unknown) => {
    stream.end(answerLine({ code: errnoCode(error) ?? 'EPROTO' }));
  });
}

async function perform(text: string, stream: Duplex, open: OpenStream): Promise<void> {
  const request = decodeOuterRequest(text);
  if (request.op === 'connect') {
    const socket = await connect(request.host, request.port);
    if (stream.destroyed) return cut(socket);
    stream.write(answerLine({}));
    joinStreams(stream, socket);
    return;
  }
  const publish = request.protocol === 'tcp' ? publishTcp : publishUdp;
  const port = await publish(request, open);
  withdrawWith(stream, port.close);
  if (!stream.destroyed) stream.write(answerLine({ hostPort: port.hostPort }));
}

/** The port is there as long as the stream. */
function withdrawWith(stream: Duplex, close: Closing): void {
  if (stream.destroyed) close();
  stream.once('close', close);
  stream.once('end', () => stream.end());
  stream.resume();
}

function connect(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, noDelay: true, allowHalfOpen: true });
    socket.pause();
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
      socket.destroy();
      reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }));
    });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.setTimeout(0);
      resolve(socket.off('error', reject));
    });
  });
}

function answerLine(answer: OuterAnswer): string {
  return `${JSON.stringify(answer)}\n`;
}
