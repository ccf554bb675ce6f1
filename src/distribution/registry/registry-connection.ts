/** Authorized requests to one server of a registry. */
import type { Clock } from '../../shared/clock.ts';
import type { Authorizer } from './authorizer.ts';
import type { Endpoint } from './endpoints.ts';
import {
  type HttpMethod,
  type HttpTransport,
  type IncomingResponse,
  readBody,
  type StreamedBody,
} from './http-transport.ts';
import { describeRefusal } from './rate-limit.ts';
import { failureOf, isUnreachable } from './registry-errors.ts';
import { rememberRetryAfter } from './retry.ts';

export interface ConnectionOptions {
  readonly transport: HttpTransport;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly endpoint: Endpoint;
}

/** A request below `/v2/`. */
export interface RegistryRequest {
  /** `GET` when left out. */
  readonly method?: HttpMethod;
  /**
   * Path without leading slash, e.g. `v2/library/busybox/manifests/latest`; or what the registry gave as a
   * `Location`, which may lead to another server. That one gets no credentials.
   */
  readonly path: string;
  /** What the token must allow, e.g. `repository:library/busybox:pull`; several apart by spaces; empty for none. */
  readonly scope: string;
  readonly body?: string | StreamedBody;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const MAX_ERROR_BYTES = 1024 * 1024;

export class RegistryConnection {
  readonly #options: ConnectionOptions;
  #base: URL | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get isMirror(): boolean {
    return this.#options.endpoint.isMirror;
  }

  /** A response with a 2xx status; its body is unread. Throws `RegistryFailure` for every other answer. */
  async send(request: RegistryRequest): Promise<IncomingResponse> {
    const base = await this.#reachableBase(request.signal);
    const url = new URL(request.path, base);
    const isOwn = url.origin === base.origin;
    const { authorizer } = this.#options;
    for (let isRepeat = false; ; isRepeat = true) {
      const sent = isOwn ? await authorizer.headerFor(request.scope, request.signal) : undefined;
      const response = await this.#send(url, request, sent);
      if (response.status >= 200 && response.status < 300) return response;
      if (response.status !== 401 || !isOwn) throw await this.#toFailure(response);
      response.body.resume();
      const { scope, signal } = request;
      await authorizer.answer(response, scope, { sent, isRepeat, signal });
    }
  }

  #send(url: URL, request: RegistryRequest, authorization: string | undefined) {
    const headers = {
      ...request.headers,
      ...(authorization === undefined ? {} : { authorization }),
    };
    const { method = 'GET', body, signal } = request;
    const sent = { url, method, headers, signal };
    return this.#options.transport.send(body === undefined ? sent : { ...sent, body });
  }

  /** The first base URL that speaks HTTP. Asked once; the answer itself does not matter here. */
  async #reachableBase(signal: AbortSignal): Promise<URL> {
    if (this.#base !== undefined) return this.#base;
    const { bases } = this.#options.endpoint;
    let failure: unknown;
    for (const base of bases) {
      try {
        if (bases.length > 1) await this.#ping(base, signal);
        this.#base = base;
        return base;
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async #ping(base: URL, signal: AbortSignal): Promise<void> {
    const request = { path: 'v2/', scope: '', signal };
    const response = await this.#send(new URL(request.path, base), request, undefined);
    response.body.resume();
  }

  async #toFailure(response: IncomingResponse): Promise<Error> {
    const body = await readBody(response, 'error', MAX_ERROR_BYTES).catch(() => Buffer.alloc(0));
    const failure = failureOf(response.status, body.toString('utf8'));
    rememberRetryAfter(failure, response.headers['retry-after'], this.#options.clock);
    if (response.status === 429) failure.message += describeRefusal(response.headers);
    return failure;
  }
}
