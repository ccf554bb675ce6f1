/** HTTP and HTTPS requests with connections kept open, redirects followed, and every wait bounded. */
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../../shared/errors.ts';
import { ConnectionPools, type PoolSettings, type Route } from './connection-pools.ts';
import { proxyCredentials } from './proxy.ts';
import { badRedirect, documentTooLarge, pullCancelled, unreachable } from './registry-errors.ts';

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';

/** A body of known length that can be read anew for each try. */
export interface StreamedBody {
  readonly sizeBytes: number;
  open(): AsyncIterable<Uint8Array>;
}

export interface OutgoingRequest {
  readonly url: URL;
  readonly method: HttpMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | StreamedBody;
  readonly signal: AbortSignal;
}

/** The body must be read to its end or destroyed. */
export interface IncomingResponse {
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
}

export interface TransportOptions extends PoolSettings {
  /** Sent as `User-Agent`. */
  readonly userAgent: string;
  /** Longest silence of the other side. */
  readonly idleTimeoutMs: number;
}

const MAX_REDIRECTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export class HttpTransport {
  readonly #options: TransportOptions;
  readonly #pools: ConnectionPools;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#pools = new ConnectionPools(options);
  }

  /** Closes idle connections. */
  close(): void {
    this.#pools.close();
  }

  /**
   * Sends the request and follows redirects; credentials stay with the host they are meant for. Any status is an
   * answer. `internal` when the server cannot be reached, `cancelled` when the signal aborts.
   */
  async send(request: OutgoingRequest): Promise<IncomingResponse> {
    let current = request;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const route = await this.#pools.routeTo(current.url);
      const response = await this.#sendOnce(current, route);
      const { location } = response.headers;
      if (!REDIRECTS.has(response.status) || location === undefined) return response;
      response.body.resume();
      current = redirected(current, location);
    }
    throw badRedirect(request.url, `stopped after ${MAX_REDIRECTS} redirects`);
  }

  #sendOnce(request: OutgoingRequest, { agent, forwarder }: Route): Promise<IncomingResponse> {
    const { url, method, signal, body } = request;
    const isSecure = url.protocol === 'https:';
    const start = isSecure ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(pullCancelled(signal.reason));
        return;
      }
      const outgoing = start(url, {
        method,
        signal,
        agent,
        ...(forwarder === undefined ? {} : { path: url.href }),
        headers: {
          'user-agent': this.#options.userAgent,
          ...lengthHeader(method, body),
          ...request.headers,
          ...(forwarder === undefined ? {} : proxyCredentials(forwarder)),
        },
      });
      outgoing.setTimeout(this.#options.idleTimeoutMs, () => {
        outgoing.destroy(Object.assign(new Error('i/o timeout'), { code: 'ETIMEDOUT' }));
      });
      outgoing.once('error', (error) => {
        reject(signal.aborted ? pullCancelled(error) : unreachable(url, error, method));
      });
      outgoing.once('response', (answer) => {
        resolve({ url, status: answer.statusCode ?? 0, headers: answer.headers, body: answer });
      });
      if (typeof body !== 'object') outgoing.end(body);
      // What breaks here breaks the request too, which has an error handler.
      else pipeline(Readable.from(body.open()), outgoing).catch(() => undefined);
    });
  }
}

/** Servers want to know the length of an empty body too (RFC 9110, 8.6). */
function lengthHeader(
  method: HttpMethod,
  body: OutgoingRequest['body'],
): Readonly<Record<string, string>> {
  if (typeof body === 'object') return { 'content-length': String(body.sizeBytes) };
  const isWriting = method === 'POST' || method === 'PUT' || method === 'PATCH';
  return isWriting ? { 'content-length': String(Buffer.byteLength(body ?? '')) } : {};
}

/** Reads a whole body as bytes. `corrupt` when it is longer than `maxBytes`. */
export async function readBody(
  response: IncomingResponse,
  what: string,
  maxBytes: number,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body) {
      size += (chunk as Buffer).length;
      if (size > maxBytes) throw documentTooLarge(what, maxBytes);
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    response.body.destroy();
    throw error instanceof EngineError ? error : unreachable(response.url, error);
  }
  return Buffer.concat(chunks);
}

function redirected(request: OutgoingRequest, location: string): OutgoingRequest {
  if (!URL.canParse(location, request.url.href)) {
    throw badRedirect(request.url, `malformed redirect ${JSON.stringify(location)}`);
  }
  const url = new URL(location, request.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw badRedirect(request.url, `unsupported protocol scheme ${url.protocol}`);
  }
  const sameServer = url.host === request.url.host && url.protocol === request.url.protocol;
  if (sameServer) return { ...request, url };
  // Such a body is a form with a token; those of uploads are streams.
  if (typeof request.body === 'string') {
    throw badRedirect(request.url, `a token must not go on to ${url.host}`);
  }
  const kept = Object.entries(request.headers).filter(([name]) => name !== 'authorization');
  return { ...request, url, headers: Object.fromEntries(kept) };
}
