/** Serves gRPC methods on one HTTP/2 connection. */
import { once } from 'node:events';
import {
  type Http2Session,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Logger } from '../../../shared/logger.ts';
import { frame, unframe } from './frames.ts';
import {
  callBroken,
  GRPC_CODE,
  type GrpcStatus,
  statusOf,
  statusTrailers,
  unknownMethod,
} from './grpc-errors.ts';
import { HTTP2_SETTINGS, widenWindow } from './http2-settings.ts';
import type { Metadata, ServedMethods } from './service.ts';

export interface GrpcServerOptions {
  readonly methods: ServedMethods;
  readonly logger: Logger;
}

/**
 * Serves a connection that has just been upgraded until it ends. Calls under way are aborted by its end. Never
 * rejects: whatever is wrong with the connection ends it.
 */
export async function serveGrpc(socket: Socket, options: GrpcServerOptions): Promise<void> {
  const session = performServerHandshake(socket, { settings: HTTP2_SETTINGS });
  session.on('error', (error) => options.logger.debug('connection of a build client', { error }));
  session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    void serveCall(stream, headers, options);
  });
  widenWindow(session);
  await closed(session);
}

function closed(session: Http2Session): Promise<void> {
  return new Promise((resolve) => {
    if (session.destroyed) resolve();
    else session.once('close', resolve);
  });
}

async function serveCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  { methods, logger }: GrpcServerOptions,
): Promise<void> {
  const path = String(headers[':path'] ?? '');
  const gone = new AbortController();
  const abort = () => gone.abort(callBroken());
  stream.once('close', abort);
  stream.once('aborted', abort);
  // An error of a stream is followed by `close`, which is all that matters.
  stream.on('error', abort);
  let status: GrpcStatus = { code: GRPC_CODE.ok, message: '', details: [] };
  stream.on('wantTrailers', () => stream.sendTrailers(statusTrailers(status)));
  try {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    );
    const method = methods.get(path);
    if (method === undefined) throw unknownMethod(path);
    const requests = unframe(stream.iterator({ destroyOnReturn: false }));
    const call = { metadata: metadataOf(headers), signal: gone.signal };
    for await (const answer of method.answer(requests, call)) {
      if (gone.signal.aborted) break;
      if (!stream.write(frame(answer))) await drained(stream, gone.signal);
    }
  } catch (error) {
    if (!gone.signal.aborted) logger.debug(`build call ${path} failed`, { error });
    status = statusOf(error);
  }
  if (stream.destroyed) return;
  stream.end();
  // A caller that has more to say must not: the call is over.
  if (!stream.readableEnded) stream.resume();
}

async function drained(stream: ServerHttp2Stream, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await once(stream, 'drain', { signal });
}

function metadataOf(headers: IncomingHttpHeaders): Metadata {
  const metadata = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    metadata.set(name, Array.isArray(value) ? value : [value]);
  }
  return metadata;
}
