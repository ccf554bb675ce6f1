/** Calls gRPC methods of the other side of an HTTP/2 connection that it opened to us. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import type { EncodableOf, MessageOf, MessageType } from '../proto/message.ts';
import { frame, unframe } from './frames.ts';
import {
  callBroken,
  connectionLost,
  GRPC_CODE,
  type GrpcStatus,
  noAnswer,
  readStatus,
  StatusError,
} from './grpc-errors.ts';
import { HTTP2_SETTINGS, widenWindow } from './http2-settings.ts';
import type { Metadata } from './service.ts';

// biome-ignore lint/suspicious/noExplicitAny: bound by the method that is called
type AnyMessage = MessageType<any, any>;

/** A method as it is called. */
export interface CalledMethod<Q extends AnyMessage, A extends AnyMessage> {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly request: Q;
  readonly response: A;
}

export interface CallOptions {
  readonly metadata?: Metadata;
  readonly signal: AbortSignal;
}

/** A call with streams of messages in both directions. */
export interface OpenCall<Q, A> {
  /** Resolves once the message is on its way and there is room for more. Rejects when the call is over. */
  send(message: Q): Promise<void>;
  /** No more messages from this side. */
  end(): void;
  /** What the other side sends. Throws `StatusError` when it ends the call with an error. */
  readonly messages: AsyncIterable<A>;
  /** Gives the call up, if it is not over. */
  cancel(): void;
}

/** The calling side of one connection. */
export class GrpcClient {
  readonly #session: ClientHttp2Session;

  /** Takes the connection over: the other side must be waiting for HTTP/2. */
  constructor(connection: Duplex) {
    this.#session = connect('http://session', {
      createConnection: () => connection,
      settings: HTTP2_SETTINGS,
    });
    // Whoever has a call under way hears of it there.
    this.#session.on('error', () => this.#session.destroy());
    widenWindow(this.#session);
  }

  /** Resolves when the connection has ended. */
  closed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#session.destroyed) resolve();
      else this.#session.once('close', resolve);
    });
  }

  /** Ends the connection and what goes on over it. */
  destroy(): void {
    this.#session.destroy();
  }

  /** One message there, one back. */
  async call<Q extends AnyMessage, A extends AnyMessage>(
    method: CalledMethod<Q, A>,
    request: EncodableOf<Q>,
    options: CallOptions,
  ): Promise<MessageOf<A>> {
    const call = this.open(method, options);
    try {
      await call.send(request);
      call.end();
      let answer: { readonly value: MessageOf<A> } | undefined;
      for await (const value of call.messages) answer ??= { value };
      if (answer === undefined) throw noAnswer(method.path);
      return answer.value;
    } finally {
      call.cancel();
    }
  }

  /** Opens a call. The caller must read `messages` to their end or `cancel`. */
  open<Q extends AnyMessage, A extends AnyMessage>(
    method: CalledMethod<Q, A>,
    { metadata = new Map(), signal }: CallOptions,
  ): OpenCall<EncodableOf<Q>, MessageOf<A>> {
    signal.throwIfAborted();
    if (this.#session.destroyed || this.#session.closed) throw connectionLost();
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': method.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...Object.fromEntries([...metadata].map(([name, values]) => [name, [...values]])),
    });
    const cancel = () => {
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    };
    signal.addEventListener('abort', cancel, { once: true });
    stream.once('close', () => signal.removeEventListener('abort', cancel));
    const end = endOf(stream);
    return {
      cancel,
      end: () => stream.end(),
      async send(message) {
        if (stream.destroyed) throw callBroken();
        if (!stream.write(frame(method.request.encode(message)))) await drained(stream);
      },
      messages: readMessages(stream, method, end),
    };
  }
}

/** How a call ended, once known. Settles with the stream's end at the latest. */
interface CallEnd {
  status(): GrpcStatus | undefined;
}

function endOf(stream: ClientHttp2Stream): CallEnd {
  let status: GrpcStatus | undefined;
  const note = (headers: IncomingHttpHeaders) => {
    status = readStatus(headers) ?? status;
  };
  // A call that fails at once has its status in the head.
  stream.once('response', note);
  stream.once('trailers', note);
  // The reader of the messages hears of it, too.
  stream.on('error', () => undefined);
  return { status: () => status };
}

async function* readMessages<A extends AnyMessage>(
  stream: ClientHttp2Stream,
  method: CalledMethod<AnyMessage, A>,
  end: CallEnd,
): AsyncGenerator<MessageOf<A>, void, void> {
  try {
    for await (const raw of unframe(stream)) yield method.response.decode(raw);
  } catch (error) {
    throwUnlessOk(end.status());
    throw callBroken(error);
  }
  const status = end.status();
  throwUnlessOk(status);
  if (status === undefined) throw connectionLost();
}

function throwUnlessOk(status: GrpcStatus | undefined): void {
  if (status !== undefined && status.code !== GRPC_CODE.ok) throw new StatusError(status);
}

async function drained(stream: ClientHttp2Stream): Promise<void> {
  const gone = new AbortController();
  const giveUp = () => gone.abort();
  stream.once('close', giveUp);
  try {
    await once(stream, 'drain', { signal: gone.signal });
  } catch (error) {
    throw callBroken(error);
  } finally {
    stream.off('close', giveUp);
  }
}
