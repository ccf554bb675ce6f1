/** The API on sockets: one HTTP server for each place it listens at, all with the same application and door. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { type Clock, systemClock } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { createApp } from './app.ts';
import type { Backends } from './backends.ts';
import type { ApiDeps, ServerFacts } from './context.ts';
import { serveTakeover, TakeoverMessage } from './hijack.ts';

export interface ApiServerOptions {
  readonly backends: Backends;
  readonly facts: ServerFacts;
  readonly logger: Logger;
  /** For texts such as `Up 3 seconds`; the machine's own when absent. */
  readonly clock?: Clock;
  readonly readByPeer?: NonNullable<ApiDeps['readByPeer']>;
}

/** Where to listen: an open listening descriptor, a unix socket's path, or a TCP address. */
export type ListenTarget =
  | { readonly fd: number }
  | { readonly path: string }
  | { readonly host: string; readonly port: number };

export interface ApiServer {
  /** Resolves once connections are accepted; rejects with node's error when the target cannot be used. */
  listen(target: ListenTarget): Promise<void>;
  /**
   * Stops accepting, lets requests under way finish for `graceMs`, then breaks what is left: long polls and
   * attached clients. Idempotent.
   */
  close(graceMs?: number): Promise<void>;
}

/** As large as Go's, so that long filters in a query pass. */
const MAX_HEADER_BYTES = 1024 * 1024;
const SOCKET_BUFFER_BYTES = 256 * 1024;
const DEFAULT_GRACE_MS = 500;

/** Makes the server; nothing is opened before `listen`. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const deps: ApiDeps = { ...options, clock: options.clock ?? systemClock };
  const servers = new Set<Server>();
  const takenOver = new Set<Socket>();
  const app = createApp(deps);

  const open = () => {
    const server = createHttpServer(getRequestListener(app.fetch, { errorHandler: refuseTarget }));
    server.on('upgrade', (request, stream, head) => {
      const socket = stream as Socket;
      takenOver.add(socket);
      socket.once('close', () => takenOver.delete(socket));
      void serveTakeover(deps, request, { socket, head });
    });
    server.on('clientError', (error, stream) => {
      const socket = stream as Socket;
      if (!isHttp2(error)) return refuseBytes(socket, error);
      takenOver.add(socket);
      socket.once('close', () => takenOver.delete(socket));
      takeFromParser(socket, error.rawPacket);
      void deps.backends.buildClients.serveCalls(socket);
    });
    servers.add(server);
    return server;
  };

  return {
    listen: (target) => listen(open(), target),
    async close(graceMs = DEFAULT_GRACE_MS) {
      const closing = [...servers];
      servers.clear();
      const giveUp = () => {
        for (const server of closing) server.closeAllConnections();
        // Node forgets connections that were handed over, but `close` waits for them all the same.
        for (const socket of takenOver) socket.destroy();
      };
      const timer = setTimeout(giveUp, graceMs);
      await Promise.all(closing.map(closeServer));
      clearTimeout(timer);
    },
  };
}

/** What node's parser says of a connection that begins as HTTP/2 does: BuildKit's own client needs no upgrade. */
interface Http2Begun extends Error {
  readonly code: 'HPE_PAUSED_H2_UPGRADE';
  readonly rawPacket: Buffer;
}

function isHttp2(error: Error): error is Http2Begun {
  return (error as NodeJS.ErrnoException).code === 'HPE_PAUSED_H2_UPGRADE';
}

/** A parser that has failed keeps its listeners; without them, what it could not read is read again. */
function takeFromParser(socket: Socket, packet: Buffer): void {
  // Node's server lets go of the descriptor, which its parser reads by itself, when somebody asks for the bytes.
  socket.on('readable', () => undefined);
  for (const event of ['data', 'end', 'close', 'drain', 'error', 'timeout']) {
    socket.removeAllListeners(event);
  }
  socket.on('error', () => undefined);
  socket.pause();
  socket.unshift(packet);
}

/** What node answers itself where nobody listens. */
function refuseBytes(socket: Socket, error: NodeJS.ErrnoException): void {
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : '400 Bad Request';
  if (socket.writable) socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  socket.destroy();
}

/** A request target that is no URL never reaches the application; it gets the same kind of body all the same. */
function refuseTarget(error: unknown): Response {
  return Response.json({ message: messageOf(error) }, { status: 400 });
}

function createHttpServer(listener: RequestListener): Server {
  const server = createServer(
    {
      IncomingMessage: TakeoverMessage,
      maxHeaderSize: MAX_HEADER_BYTES,
      highWaterMark: SOCKET_BUFFER_BYTES,
      noDelay: true,
    },
    (request, response) => {
      // Clients of unix sockets put anything here, even the socket's path; it never matters.
      request.headers.host = 'engine';
      listener(request, response);
    },
  );
  // Uploads and long polls last as long as they last, and clients keep idle connections for the next command.
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  server.keepAliveTimeout = 0;
  return server;
}

function listen(server: Server, target: ListenTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(target, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Resolves when no connection is left; also for a server that never listened. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
