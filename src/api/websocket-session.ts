/** Attached clients that speak WebSocket (RFC 6455): each piece of output is a message, and so is each of input. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { StdinSink } from '../runtime/task-runner.ts';
import type { AttachSession } from './backends.ts';

/** Longest message taken from a client; input comes in pieces far smaller. */
const MAX_MESSAGE_BYTES = 16 << 20;
const NORMAL_CLOSURE = 1000;

const handshakes = () =>
  new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });

/** A request whose connection is to become a WebSocket. */
export interface WebSocketRequest {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** Whether output goes as binary messages; as text otherwise. */
  readonly binary: boolean;
}

/**
 * Shakes hands and serves the session until its output ends or the client is gone. A bad handshake is answered
 * with 400 by the library. Never multiplexed: both streams of output arrive alike. Rejects when the output breaks.
 */
export async function serveWebSocket(
  { request, socket, binary }: WebSocketRequest,
  session: AttachSession,
): Promise<void> {
  try {
    const client = await accept(request, socket);
    if (client === undefined) return;
    const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
    receive(client, session);
    for await (const { data } of session.output) {
      if (client.readyState !== client.OPEN) break;
      await send(client, data, binary);
    }
    client.close(NORMAL_CLOSURE);
    await gone;
  } finally {
    await session.close();
  }
}

/** Undefined when the handshake failed. */
function accept(request: IncomingMessage, socket: Socket): Promise<WebSocket | undefined> {
  return new Promise((resolve) => {
    const giveUp = () => resolve(undefined);
    socket.once('close', giveUp);
    if (socket.destroyed) giveUp();
    handshakes().handleUpgrade(request, socket, Buffer.alloc(0), (client) => {
      socket.off('close', giveUp);
      resolve(client);
    });
  });
}

/** Resolves once the message is handed to the kernel; also when the client has gone, which `close` tells. */
function send(client: WebSocket, data: Uint8Array, binary: boolean): Promise<void> {
  return new Promise((resolve) => client.send(data, { binary }, () => resolve()));
}

/** Hands messages to stdin one after another. Without stdin, or once it is closed, they are dropped. */
function receive(client: WebSocket, session: AttachSession): void {
  let sink: StdinSink | undefined = session.stdin;
  const drop = () => {
    sink = undefined;
  };
  client.on('message', (message) => {
    if (sink === undefined) return;
    client.pause();
    void sink
      .write(toBytes(message))
      .catch(drop)
      .finally(() => client.resume());
  });
  // Errors of the protocol are followed by `close`, which is all that matters.
  client.on('error', drop);
  client.once('close', () => void endSession(session, sink));
}

/** The client's end is the end of its input, and of the session. */
async function endSession(session: AttachSession, sink: StdinSink | undefined): Promise<void> {
  // A process that has gone needs no end of input, and a failure to let go shows where the session is served.
  await sink?.end().catch(() => undefined);
  await session.close().catch(() => undefined);
}

function toBytes(message: RawData): Uint8Array {
  if (Array.isArray(message)) return Buffer.concat(message);
  return message instanceof ArrayBuffer ? new Uint8Array(message) : message;
}
