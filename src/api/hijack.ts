/**
 * The second door of the API: requests whose connection becomes a raw stream (`attach`, `exec start`) or a
 * WebSocket. Node's parser hands them over with the body unread, whether they ask for an upgrade or not.
 */
import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { messageOf } from '../shared/errors.ts';
import { assertServed, isAtLeast, splitVersion } from '../wire/api-version.ts';
import { frameHeader } from '../wire/stdcopy.ts';
import { routePath, standardHeaders } from './app.ts';
import type { AttachSession } from './backends.ts';
import type { ApiDeps } from './context.ts';
import { logFailure, toErrorAnswer } from './error-handler.ts';
import { RAW_STREAM, streamMediaType } from './media-types.ts';
import { OPERATIONS } from './operations.ts';
import { type RouteMatch, RouteMatcher } from './route-table.ts';
import { readSocketBody } from './socket-body.ts';
import { endConnection, serveSession } from './stream-session.ts';
import type { Takeover, TakeoverHandler } from './takeover.ts';
import { serveWebSocket } from './websocket-session.ts';

/** A client reads the head at once; one that does not waits no longer than this. */
const HEAD_TIMEOUT_MS = 100;

const TAKEOVERS = new RouteMatcher(
  OPERATIONS.filter(({ action }) => action.kind === 'takeover' || action.kind === 'websocket'),
);

/** Undefined for ordinary requests, and for one to a WebSocket route that asks for no WebSocket. */
function findTakeover({ method = '', url = '', headers }: IncomingMessage): RouteMatch | undefined {
  const match = TAKEOVERS.find(method, routePath(pathOf(url)));
  const isOrdinary =
    match?.route.action.kind === 'websocket' && headers.upgrade?.toLowerCase() !== 'websocket';
  return isOrdinary ? undefined : match;
}

const pathOf = (url: string) => url.split('?', 1)[0] ?? '';

/**
 * Tells node's server which requests to hand over: those of takeover routes, with or without an `Upgrade`
 * header, and no others. The server reads `upgrade` once the head is parsed and before it touches the body, so
 * that stdin sent in the same packet is never parsed as a second request.
 */
export class TakeoverMessage extends IncomingMessage {
  get upgrade(): boolean {
    return findTakeover(this) !== undefined;
  }

  set upgrade(_asked: boolean) {
    // Whether the client asked for it makes no difference here; see `serveTakeover`.
  }
}

/** Serves one handed-over request to its end. Never rejects. */
export async function serveTakeover(
  deps: ApiDeps,
  request: IncomingMessage,
  connection: { readonly socket: Socket; readonly head: Buffer },
): Promise<void> {
  const { socket, head } = connection;
  const gone = new AbortController();
  // Errors of a socket are followed by `close`, which is all that matters.
  socket.on('error', () => gone.abort());
  socket.once('close', () => gone.abort());
  if (head.length > 0) socket.unshift(head);
  try {
    const takeover = await prepare(deps, request, { socket, signal: gone.signal });
    await proceed(deps, request, { socket, takeover });
    endConnection(socket);
  } catch (error) {
    logFailure(deps.logger, `${request.method} ${request.url}`, error);
    socket.destroy();
  }
}

/** Everything that can still be answered with a status. Undefined when such an answer was sent. */
async function prepare(
  deps: ApiDeps,
  request: IncomingMessage,
  connection: { readonly socket: Socket; readonly signal: AbortSignal },
): Promise<Takeover | undefined> {
  const { socket, signal } = connection;
  try {
    const { handler, params } = routeOf(request);
    const { version } = splitVersion(pathOf(request.url ?? ''));
    assertServed(version);
    if (request.headers.expect?.toLowerCase() === '100-continue') {
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    }
    const body = await readSocketBody(socket, request.headers);
    const query = new URL(request.url ?? '', 'http://engine').searchParams;
    const { headers } = request;
    return await handler({ params, query, version, headers, body, signal }, deps);
  } catch (error) {
    logFailure(deps.logger, `${request.method} ${request.url}`, error);
    const { status, message } = toErrorAnswer(error);
    writeAnswer(deps, socket, { status, body: JSON.stringify({ message }) });
    return undefined;
  }
}

function routeOf(request: IncomingMessage): {
  handler: TakeoverHandler;
  params: RouteMatch['params'];
} {
  const match = findTakeover(request);
  const action = match?.route.action;
  if (
    match === undefined ||
    action === undefined ||
    !('handler' in action) ||
    action.kind === 'answer'
  ) {
    throw new TypeError('not a takeover route');
  }
  return { handler: action.handler, params: match.params };
}

async function proceed(
  deps: ApiDeps,
  request: IncomingMessage,
  connection: { readonly socket: Socket; readonly takeover: Takeover | undefined },
): Promise<void> {
  const { socket, takeover } = connection;
  if (takeover === undefined) return;
  if (takeover.kind === 'empty') {
    writeAnswer(deps, socket, { status: takeover.status, body: '' });
    return;
  }
  if (takeover.kind === 'h2c') {
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    return await takeover.serve(socket);
  }
  if (isWebSocket(request)) {
    const { version } = splitVersion(pathOf(request.url ?? ''));
    const binary = isAtLeast(version, '1.28');
    return await serveWebSocket({ request, socket, binary }, await takeover.open());
  }
  socket.write(streamHead(deps, request, takeover));
  const headIsRead = deps.readByPeer?.(socket, HEAD_TIMEOUT_MS);
  let session: AttachSession;
  try {
    session = await takeover.open();
    // Clients that read the head through a buffer, as docker-py does, lose what of the stream is in it too.
    await headIsRead;
  } catch (error) {
    // The status is spent: like dockerd, say it where the output would have been.
    logFailure(deps.logger, `${request.method} ${request.url}`, error);
    const text = Buffer.from(`${messageOf(error)}\r\n`);
    if (!takeover.tty) socket.write(frameHeader('stdout', text.length));
    socket.write(text);
    return;
  }
  await serveSession(socket, session, takeover.tty);
}

const isWebSocket = (request: IncomingMessage) =>
  findTakeover(request)?.route.action.kind === 'websocket';

function streamHead(
  deps: ApiDeps,
  request: IncomingMessage,
  takeover: Extract<Takeover, { kind: 'stream' }>,
): string {
  const { version } = splitVersion(pathOf(request.url ?? ''));
  const protocol = request.headers.upgrade;
  const lines =
    protocol === undefined
      ? ['HTTP/1.1 200 OK', `Content-Type: ${RAW_STREAM}`]
      : [
          'HTTP/1.1 101 UPGRADED',
          `Content-Type: ${streamMediaType(takeover.tty, version)}`,
          'Connection: Upgrade',
          'Upgrade: tcp',
        ];
  if (takeover.standardHeaders) lines.push(...headerLines(deps));
  return `${lines.join('\r\n')}\r\n\r\n`;
}

const headerLines = (deps: ApiDeps) =>
  Object.entries(standardHeaders(deps.facts)).map(([name, value]) => `${name}: ${value}`);

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

/** An ordinary answer after which the connection ends. */
function writeAnswer(
  deps: ApiDeps,
  socket: Socket,
  answer: { readonly status: number; readonly body: string },
): void {
  const { status, body } = answer;
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ''}`,
    ...headerLines(deps),
    ...(body === '' ? [] : ['Content-Type: application/json']),
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
